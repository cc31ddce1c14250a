"""Makes the seats of a meeting: which program, in which environment, ready by which proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from meetctl.local.livekit import server_argv, wait_until_serving
from meetctl.local.liveness import answers
from meetctl.programs.launch import agent_argv, agent_module, service_environment
from meetctl.programs.room_access import CHAIR_IDENTITY, CHAIR_NAME
from meetctl.protocol import Degraded, LegStats, MediaKind, Model, Ready, RestartPolicy
from meetctl.protocol.rehearsal import Script
from meetctl.roster import AgentEntry, Program
from meetctl.supervisor.events import Proof, SeatKind, WireEvent
from meetctl.supervisor.health import REPLACE_AFTER_S, SERVICE_REPLACE_AFTER_S, START_S, HealthCheck
from meetctl.supervisor.launcher import LaunchSpec, python_argv
from meetctl.supervisor.process import Wire
from meetctl.supervisor.seat_spec import Seat
from meetctl.workers.orders import LINK_MODULE

LIVEKIT_SEAT = "livekit-server"
MODELS_SEAT = "models"
SIMLI_SEAT = "simli-server"
CHAIR_MODULE = "meetctl_agents.chair"
PLAYER_SEAT = "player"
PLAYER_MODULE = "meetctl_agents.player"

FACE = "face"
"""The proof of an avatar: a first picture on its leg to the face's server, or that it goes on without one. A face that
joins the room by itself has no such leg: the agent waits for it before it says that it is ready."""
FACE_LEG = "simli"
COMMAND_IS_SLOW = "give it longer in the roster: start_timeout: 3m"
ACTIVE_POLL_S = 0.5
"""How often the LiveKit server is asked whether a `command:` agent has arrived; it says nothing by itself."""


class LiveKitSeat(Seat):
    """The seat of the local LiveKit server; it comes back on the same ports with the same keys."""

    def __init__(self, binary: Path, config: Path, url: str, log: Path, mark: Mapping[str, str]) -> None:
        super().__init__(
            key=LIVEKIT_SEAT,
            name=LIVEKIT_SEAT,
            kind=SeatKind.SERVICE,
            program=LIVEKIT_SEAT,
            wire=Wire.NONE,
            health_check=HealthCheck(news_s=SERVICE_REPLACE_AFTER_S),
            restart=RestartPolicy.ALWAYS,
        )
        self._argv = tuple(server_argv(binary, config))
        self._url = url
        self._log = log
        self._mark = mark

    def spec(self) -> LaunchSpec:
        return LaunchSpec(self._argv, service_environment(self._mark))

    async def readiness_probe(self) -> Proof:
        await wait_until_serving(self._url, log=self._log)
        return Proof.READY

    async def liveness_probe(self) -> bool:
        return await answers(self._url)


class StandInSeat(Seat):
    """The seat of one of our own local servers, which says itself when it serves.

    Args:
        after: awaited before each start; bounded, never raises.
    """

    def __init__(
        self,
        key: str,
        module: str,
        arguments: tuple[str, ...],
        url: str,
        mark: Mapping[str, str],
        *,
        after: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(
            key=key,
            name=key,
            kind=SeatKind.SERVICE,
            program=key,
            wire=Wire.NDJSON,
            health_check=HealthCheck(news_s=SERVICE_REPLACE_AFTER_S),
            restart=RestartPolicy.ALWAYS,
        )
        self._argv = python_argv(module, *arguments)
        self._url = url
        self._mark = mark
        self._after = after

    def spec(self) -> LaunchSpec:
        return LaunchSpec(self._argv, service_environment(self._mark))

    async def prepare(self) -> None:
        if self._after is not None:
            await self._after()

    async def liveness_probe(self) -> bool:
        return await answers(self._url)


class PlayerSeat(Seat):
    """The seat of a rehearsal's scripted people; a play that broke off cannot be taken up again."""

    attends = True

    def __init__(self, script: Script, mark: Mapping[str, str]) -> None:
        super().__init__(
            key=PLAYER_SEAT,
            name="Player",
            kind=SeatKind.SERVICE,
            program=PLAYER_SEAT,
            wire=Wire.NDJSON,
            restart=RestartPolicy.NO,
        )
        self._script = script
        self._mark = mark

    def spec(self) -> LaunchSpec:
        return LaunchSpec(python_argv(PLAYER_MODULE), service_environment(self._mark), module=PLAYER_MODULE)

    async def first_line(self) -> Script:
        return self._script


class Attendance(Protocol):
    """What the seats of those who join the room ask of the meeting at each start."""

    def chair_environment(self) -> Mapping[str, str]: ...

    async def chair_assignment(self) -> Model: ...

    def environment_of(self, entry: AgentEntry) -> Mapping[str, str]: ...

    async def assignment_of(self, entry: AgentEntry) -> Model: ...

    def joins_itself(self, identity: str) -> bool:
        """Returns whether the agent's face is a participant of its own."""
        ...

    async def order_of(self, entry: AgentEntry) -> Model: ...

    async def is_active(self, identity: str) -> bool: ...


class ChairSeat(Seat):
    """The chair's seat.

    Args:
        depends_on: the seat of the LiveKit server, where it is ours.
    """

    attends = True

    def __init__(self, cast: Attendance, *, depends_on: str | None) -> None:
        super().__init__(
            key=CHAIR_IDENTITY,
            name=CHAIR_NAME,
            kind=SeatKind.SERVICE,
            program="chair",
            wire=Wire.NDJSON,
            health_check=HealthCheck(START_S, REPLACE_AFTER_S, depends_on),
            restart=RestartPolicy.ALWAYS,
        )
        self._cast = cast

    def spec(self) -> LaunchSpec:
        return LaunchSpec(python_argv(CHAIR_MODULE), self._cast.chair_environment(), module=CHAIR_MODULE)

    async def first_line(self) -> Model:
        return await self._cast.chair_assignment()


class _EntrySeat(Seat):
    """The seat of an entry of the roster."""

    def __init__(
        self,
        entry: AgentEntry,
        room: str,
        cast: Attendance,
        *,
        wire: Wire,
        health_check: HealthCheck,
        proofs: frozenset[str],
        sends: frozenset[MediaKind] = frozenset(),
    ) -> None:
        super().__init__(
            key=entry.identity,
            name=entry.name,
            kind=SeatKind.AGENT,
            program=entry.program.value,
            wire=wire,
            health_check=health_check,
            proofs=proofs,
            sends=sends,
            restart=entry.restart,
        )
        self._entry = entry
        self._room = room
        self._cast = cast

    def spec(self) -> LaunchSpec:
        entry = self._entry
        environment = self._cast.environment_of(entry)
        folder = entry.cwd or entry.folder
        return LaunchSpec(agent_argv(entry, self._room), environment, folder, module=agent_module(entry))


class AgentSeat(_EntrySeat):
    """An agent's seat.

    Args:
        own_chair: whether the chair is ours, and so proves that media arrives.
        depends_on: the seat of the LiveKit server, where it is ours.
    """

    attends = True

    def __init__(
        self, entry: AgentEntry, room: str, cast: Attendance, *, own_chair: bool, depends_on: str | None
    ) -> None:
        super().__init__(
            entry,
            room,
            cast,
            wire=Wire.NDJSON,
            health_check=HealthCheck(START_S, REPLACE_AFTER_S, depends_on),
            proofs=_proofs(entry, own_chair=own_chair),
            sends=frozenset(MediaKind) if entry.program is Program.SIMLI else frozenset({MediaKind.AUDIO}),
        )

    async def first_line(self) -> Model:
        return await self._cast.assignment_of(self._entry)

    def proofs_in(self, event: WireEvent) -> frozenset[str]:
        if not self._cast.joins_itself(self.key):
            return frozenset({FACE}) if shows_face(event) else frozenset()
        match event:
            case Ready():
                return frozenset({FACE})
            case Degraded(reason=reason) if reason is not None:
                return frozenset({FACE, Proof.VIDEO})  # nobody else would send a picture
            case _:
                return frozenset()


class DispatchedSeat(AgentSeat):
    """The seat of an agent that runs on whichever worker takes it. The process here is its link.

    How long it takes until there is a worker, is nobody's fault in this seat: it waits, and says so.
    """

    def __init__(
        self,
        entry: AgentEntry,
        room: str,
        cast: Attendance,
        *,
        own_chair: bool,
        depends_on: str | None,
        mark: Mapping[str, str],
    ) -> None:
        super().__init__(entry, room, cast, own_chair=own_chair, depends_on=depends_on)
        self.health_check = HealthCheck(news_s=REPLACE_AFTER_S, depends_on=depends_on)
        self._mark = mark

    def spec(self) -> LaunchSpec:
        return LaunchSpec(python_argv(LINK_MODULE), service_environment(self._mark), module=LINK_MODULE)

    async def first_line(self) -> Model:
        return await self._cast.order_of(self._entry)


class CommandSeat(_EntrySeat):
    """The seat of a `command:`, which finds its token in its environment and reads nothing.

    Args:
        depends_on: the seat of the LiveKit server, where it is ours.
    """

    def __init__(self, entry: AgentEntry, room: str, cast: Attendance, *, depends_on: str | None) -> None:
        health_check = HealthCheck(entry.start_timeout_s or START_S, depends_on=depends_on, slow_hint=COMMAND_IS_SLOW)
        super().__init__(entry, room, cast, wire=Wire.NONE, health_check=health_check, proofs=frozenset({Proof.ACTIVE}))

    async def readiness_probe(self) -> Proof:
        while not await self._cast.is_active(self._entry.identity):
            await asyncio.sleep(ACTIVE_POLL_S)
        return Proof.ACTIVE


def shows_face(event: WireEvent) -> bool:
    """Returns whether an agent's message says that its face is there, or that it does without one."""
    match event:
        case LegStats(leg=leg, video_fps=video_fps) if leg == FACE_LEG:
            return bool(video_fps)
        case Degraded(reason=reason):
            return reason is not None
        case _:
            return False


def _proofs(entry: AgentEntry, *, own_chair: bool) -> frozenset[str]:
    proofs: set[str] = {Proof.READY}
    if own_chair:
        proofs |= {Proof.AUDIO}
    if entry.program is Program.SIMLI:
        proofs |= {FACE, Proof.VIDEO} if own_chair else {FACE}
    return frozenset(proofs)
