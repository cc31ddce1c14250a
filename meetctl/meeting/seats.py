"""Makes the seats of a meeting: which program, in which environment, ready by which proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from meetctl.local.livekit import server_argv, wait_until_serving
from meetctl.local.liveness import answers
from meetctl.programs.launch import agent_argv, agent_module, service_environment
from meetctl.programs.room_access import CHAIR_IDENTITY, CHAIR_NAME
from meetctl.protocol import Model, RestartPolicy
from meetctl.roster import AgentEntry, Program
from meetctl.supervisor.events import Proof, SeatKind
from meetctl.supervisor.health import REPLACE_AFTER_S, SERVICE_REPLACE_AFTER_S, START_S, HealthCheck
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.process import Wire
from meetctl.supervisor.supervisor import Seat, python_argv

LIVEKIT_SEAT = "livekit-server"
MODELS_SEAT = "models"
SIMLI_SEAT = "simli-server"
CHAIR_MODULE = "meetctl_agents.chair"
PLAYER_SEAT = "player"
PLAYER_MODULE = "meetctl_agents.player"

COMMAND_IS_SLOW = "give it longer in the roster: start_timeout: 3m"
ACTIVE_POLL_S = 0.5
"""How often the LiveKit server is asked whether a `command:` agent has arrived; it says nothing by itself."""


def livekit_seat(binary: Path, config: Path, url: str, log: Path, mark: Mapping[str, str]) -> Seat:
    """Returns the seat of the local LiveKit server; it comes back on the same ports with the same keys."""

    async def serves() -> Proof:
        await wait_until_serving(url, log=log)
        return Proof.READY

    return Seat(
        key=LIVEKIT_SEAT,
        name=LIVEKIT_SEAT,
        kind=SeatKind.SERVICE,
        program=LIVEKIT_SEAT,
        spec=lambda: LaunchSpec(tuple(server_argv(binary, config)), service_environment(mark)),
        wire=Wire.NONE,
        readiness_probe=serves,
        liveness_probe=lambda: answers(url),
        health_check=HealthCheck(news_s=SERVICE_REPLACE_AFTER_S),
        restart=RestartPolicy.ALWAYS,
    )


def stand_in_seat(
    key: str,
    module: str,
    arguments: tuple[str, ...],
    url: str,
    mark: Mapping[str, str],
    *,
    after: Callable[[], Awaitable[None]] | None = None,
) -> Seat:
    """Returns the seat of one of our own local servers, which says itself when it serves."""
    return Seat(
        key=key,
        name=key,
        kind=SeatKind.SERVICE,
        program=key,
        spec=lambda: LaunchSpec(python_argv(module, *arguments), service_environment(mark)),
        wire=Wire.NDJSON,
        after=after,
        liveness_probe=lambda: answers(url),
        health_check=HealthCheck(news_s=SERVICE_REPLACE_AFTER_S),
        restart=RestartPolicy.ALWAYS,
    )


def chair_seat(
    assignment: Callable[[], Awaitable[Model]], environment: Callable[[], Mapping[str, str]], *, depends_on: str | None
) -> Seat:
    """Returns the chair's seat.

    Args:
        ground: the seat of the LiveKit server, where it is ours.
    """
    return Seat(
        key=CHAIR_IDENTITY,
        name=CHAIR_NAME,
        kind=SeatKind.SERVICE,
        program="chair",
        spec=lambda: LaunchSpec(python_argv(CHAIR_MODULE), environment(), module=CHAIR_MODULE),
        wire=Wire.NDJSON,
        first_line=assignment,
        health_check=HealthCheck(START_S, REPLACE_AFTER_S, depends_on),
        restart=RestartPolicy.ALWAYS,
    )


def player_seat(script: Callable[[], Awaitable[Model]], mark: Mapping[str, str]) -> Seat:
    """Returns the seat of a rehearsal's scripted people; a play that broke off cannot be taken up again."""
    return Seat(
        key=PLAYER_SEAT,
        name="Player",
        kind=SeatKind.SERVICE,
        program=PLAYER_SEAT,
        spec=lambda: LaunchSpec(python_argv(PLAYER_MODULE), service_environment(mark), module=PLAYER_MODULE),
        wire=Wire.NDJSON,
        first_line=script,
        restart=RestartPolicy.NO,
    )


def agent_seat(
    entry: AgentEntry,
    room: str,
    *,
    environment: Callable[[], Mapping[str, str]],
    assignment: Callable[[], Awaitable[Model]],
    is_active: Callable[[], Awaitable[bool]],
    own_chair: bool,
    depends_on: str | None,
) -> Seat:
    """Returns an agent's seat.

    Args:
        ground: the seat of the LiveKit server, where it is ours.
        environment: made anew at each start: a `command:` finds its token there.
        own_chair: whether the chair is ours, and so proves that media arrives.
    """

    def spec() -> LaunchSpec:
        return LaunchSpec(agent_argv(entry, room), environment(), entry.cwd, module=agent_module(entry))

    if entry.program is Program.COMMAND:
        return Seat(
            key=entry.identity,
            name=entry.name,
            kind=SeatKind.AGENT,
            program=entry.program.value,
            spec=spec,
            wire=Wire.NONE,
            readiness_probe=lambda: _wait_active(is_active),
            health_check=HealthCheck(
                entry.start_timeout_s or START_S, depends_on=depends_on, slow_hint=COMMAND_IS_SLOW
            ),
            proofs=frozenset({Proof.ACTIVE}),
            restart=entry.restart,
        )
    proofs = {Proof.READY}
    if own_chair:
        proofs |= {Proof.AUDIO}
    # A face that joins by itself is another participant, for whom the agent waits before it says that it is ready.
    joins_itself = entry.face is not None and entry.face.transport == "direct"
    if entry.program is Program.SIMLI and not joins_itself:
        proofs |= {Proof.FACE, Proof.VIDEO} if own_chair else {Proof.FACE}
    return Seat(
        key=entry.identity,
        name=entry.name,
        kind=SeatKind.AGENT,
        program=entry.program.value,
        spec=spec,
        wire=Wire.NDJSON,
        first_line=assignment,
        health_check=HealthCheck(START_S, REPLACE_AFTER_S, depends_on),
        proofs=frozenset(proofs),
        restart=entry.restart,
    )


async def _wait_active(is_active: Callable[[], Awaitable[bool]]) -> Proof:
    while not await is_active():
        await asyncio.sleep(ACTIVE_POLL_S)
    return Proof.ACTIVE
