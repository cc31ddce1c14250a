"""Who attends: nobody counts as seated who could not be."""

from __future__ import annotations

import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meetctl.meeting.cast import Cast
from meetctl.meeting.local_servers import LocalServers
from meetctl.meeting.open_room import OpenRoom
from meetctl.meeting.transcript import Transcript
from meetctl.protocol.secrets import Masker
from meetctl.rooms import Rooms
from meetctl.roster import AgentEntry, FaceChoice, Program, Roster, avatar_identity
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.supervisor import Supervisor


async def test_an_agent_whose_log_cannot_be_opened_is_not_in_the_cast_and_can_be_added_later() -> None:
    tries: list[str] = []

    def add(seat: Seat) -> None:
        tries.append(seat.key)
        if len(tries) == 1:
            raise OSError(errno.EMFILE, "Too many open files")

    async def send(*_: Any) -> bool:
        return True

    cast_ = Cast(
        cast(Roster, SimpleNamespace(room="standup")),
        supervisor=cast(Supervisor, SimpleNamespace(add=add, send=send)),
        servers=cast(LocalServers, SimpleNamespace(livekit_seat=None)),
        credentials=cast(LiveKitCredentials, None),
        room_service=cast(Rooms, None),
        open_room=cast(OpenRoom, None),
        transcript=cast(Transcript, None),
        mark={},
        mask=Masker([]),
    )
    max_ = AgentEntry(name="Max", identity="max", program=Program.AUDIO)
    with pytest.raises(OSError, match="Too many"):
        await cast_.add(max_)
    assert cast_.seats() == ["chair"]
    await cast_.add(max_)
    assert cast_.seats() == ["max", "chair"] and tries == ["max", "max"]


def test_a_face_whose_own_identity_in_the_room_is_that_of_an_agent_to_come_is_bridged() -> None:
    ada, eve = (
        AgentEntry(name=name, identity=identity, program=Program.SIMLI, face=FaceChoice(transport="auto"))
        for name, identity in (("Ada", "ada"), ("Eve", avatar_identity("ada")))
    )
    zoe = ada.model_copy(update={"name": "Zoe", "identity": "zoe", "face": FaceChoice(transport="bridge")})
    cast_ = Cast(
        cast(Roster, SimpleNamespace(room="standup", agents=(zoe, ada, eve), topic=None)),
        supervisor=cast(Supervisor, SimpleNamespace(add=lambda seat: None)),
        servers=cast(LocalServers, SimpleNamespace(livekit_seat=None, machine=None)),
        credentials=cast(LiveKitCredentials, None),
        room_service=cast(Rooms, None),
        open_room=cast(OpenRoom, None),
        transcript=cast(Transcript, None),
        mark={},
        mask=Masker([]),
    )
    for entry in (zoe, ada, eve):
        cast_._seat(entry)
    assert [way for way, _ in cast_.transports().values()] == ["bridge", "bridge", "direct"]
