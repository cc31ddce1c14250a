"""Who attends: nobody counts as seated who could not be."""

from __future__ import annotations

import asyncio
import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr

from meetctl.local.carrying import Machine
from meetctl.meeting.cast import Cast
from meetctl.meeting.local_servers import LocalServers
from meetctl.meeting.open_room import OpenRoom
from meetctl.meeting.transcript import Transcript
from meetctl.programs.room_access import StandIns
from meetctl.protocol import Assignment
from meetctl.protocol.secrets import Masker
from meetctl.rooms import Rooms
from meetctl.roster import AgentEntry, FaceChoice, ModelChoice, Program, Roster, avatar_identity
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.supervisor import Supervisor

MODEL = ModelChoice()
LEFT_TO_US = FaceChoice(transport="auto")


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


class MeasuringServers:
    """Local servers that do not know yet what a picture costs here."""

    def __init__(self) -> None:
        self.livekit_seat = None
        self.stand_ins = StandIns("http://127.0.0.1:9", "http://127.0.0.1:9")
        self.machine: Machine | None = None
        self.measured = asyncio.Event()

    async def wait_for_simli(self) -> None:
        pass

    async def wait_for_machine(self) -> None:
        await self.measured.wait()


async def test_agents_are_seated_before_the_machine_is_measured_and_their_faces_settled_in_the_roster_s_order() -> None:
    async def wait_open() -> None:
        pass

    ada, eve = (
        AgentEntry(
            name=name, identity=name.lower(), program=Program.SIMLI, persona="", llm=MODEL, tts=MODEL, face=LEFT_TO_US
        )
        for name in ("Ada", "Eve")
    )
    servers, seats = MeasuringServers(), list[Seat]()
    cast_ = Cast(
        cast(Roster, SimpleNamespace(room="standup", agents=(ada, eve), topic=None, language=None)),
        supervisor=cast(Supervisor, SimpleNamespace(add=seats.append)),
        servers=cast(LocalServers, servers),
        credentials=LiveKitCredentials("ws://127.0.0.1:9", "key", SecretStr("secret" * 8)),
        room_service=cast(Rooms, None),
        open_room=cast(OpenRoom, SimpleNamespace(wait_open=wait_open)),
        transcript=cast(Transcript, SimpleNamespace(lines=tuple)),
        mark={},
        mask=Masker([]),
    )
    cast_.seat_all([ada, eve])
    assert [seat.key for seat in seats] == ["chair", "ada", "eve"] and cast_.transports() == {}
    coming = [asyncio.ensure_future(cast_.assignment_of(entry)) for entry in (eve, ada)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in coming)
    servers.machine = Machine(2, 17.0)
    servers.measured.set()
    async with asyncio.timeout(30):
        faces = [cast(Assignment, await one).face for one in coming]
    assert [face is not None and face.avatar is not None for face in faces] == [True, False]
    assert {identity: way for identity, (way, _) in cast_.transports().items()} == {"ada": "bridge", "eve": "direct"}
    assert (cast_.joins_itself("ada"), cast_.joins_itself("eve")) == (False, True)
    again = cast(Assignment, await cast_.assignment_of(eve)).face
    assert again is not None and again.avatar is not None, "who starts again takes the same way"
