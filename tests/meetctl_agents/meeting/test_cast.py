"""Who the agents are, and were."""

from __future__ import annotations

from typing import cast

from livekit import rtc
from meetctl_agents.meeting.cast import Cast

from meetctl.protocol import CastMember

ADA = CastMember(identity="ada", name="Ada")
LEGACY = CastMember(identity="legacy", name="Legacy", serves_floor=False)
FAR = CastMember(identity="far", name="Far")


class Nobody:
    """A room that is asked nothing here."""


def test_an_agent_that_left_keeps_its_name_for_its_last_words() -> None:
    agents = Cast(cast(rtc.Room, Nobody()), (ADA, LEGACY))
    agents.set_given((ADA,))
    agents.register(FAR)
    agents.leave("far")
    assert [agents.name_of(identity) for identity in ("ada", "legacy", "far")] == ["Ada", "Legacy", "Far"]
    assert [member.identity for member in agents.members] == ["ada"]


def test_somebody_who_never_was_an_agent_is_called_by_identity() -> None:
    assert Cast(cast(rtc.Room, Nobody()), ()).name_of("guest-1") == "guest-1"
