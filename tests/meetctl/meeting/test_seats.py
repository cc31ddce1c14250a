"""What a seat's process says of itself, and what that proves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from meetctl.meeting.seats import FACE, AgentSeat, Attendance, shows_face
from meetctl.protocol import Degraded, IceState, LegStats, Ready
from meetctl.roster import AgentEntry, FaceChoice, Program
from meetctl.supervisor.events import Proof, WireEvent


@pytest.mark.parametrize(
    ("event", "shows"),
    [
        (LegStats(leg="simli", ice=IceState.COMPLETED, video_fps=25), True),
        (LegStats(leg="simli", ice=IceState.CHECKING, video_fps=0), False),
        (LegStats(leg="simli", ice=IceState.CHECKING), False),
        (LegStats(leg="room", ice=IceState.CONNECTED, video_fps=25), False),
        (Degraded(reason="no credit"), True),
        (Degraded(reason=None), False),
        (Ready(), False),
    ],
)
def test_a_face_is_proven_by_its_first_picture_or_by_going_on_without_one(event: WireEvent, shows: bool) -> None:
    assert shows_face(event) is shows


@pytest.mark.parametrize("own_chair", [True, False])
def test_a_face_that_joins_by_itself_is_ready_when_the_chair_sees_it_or_when_the_agent_does_without_it(
    own_chair: bool,
) -> None:
    ada = AgentEntry(name="Ada", identity="ada", program=Program.SIMLI, face=FaceChoice(transport="auto"))
    attendance = cast(Attendance, SimpleNamespace(joins_itself=lambda identity: identity == "ada"))
    seat = AgentSeat(ada, "standup", attendance, own_chair=own_chair, depends_on=None)
    after_ready = seat.proofs - seat.proofs_in(Ready()) - {Proof.READY, Proof.AUDIO}
    assert after_ready == ({Proof.VIDEO} if own_chair else set())
    assert seat.proofs_in(Degraded(reason="no face: no credit")) == {FACE, Proof.VIDEO}
    assert seat.proofs_in(Degraded(reason=None)) == seat.proofs_in(LegStats(leg="room", ice=IceState.NEW)) == set()
