"""A supervisor with everything around it, and programs that misbehave as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from meetctl.protocol import Model, RestartPolicy
from meetctl.protocol.secrets import Masker
from meetctl.supervisor.events import (
    Proof,
    SeatEvent,
    SeatKind,
)
from meetctl.supervisor.health import NOTHING, HealthCheck
from meetctl.supervisor.process import Wire
from meetctl.supervisor.state import ProcessState
from meetctl.supervisor.supervisor import Supervisor
from tests.meetctl.supervisor.helpers import AnySeat, misbehaving

BOUND_S = 20.0


class Room:
    """A supervisor under test and all that happened."""

    def __init__(self, supervisor: Supervisor, meeting: str) -> None:
        self.supervisor = supervisor
        self.meeting = meeting
        self.events: list[SeatEvent] = []
        supervisor.listen(self.events.append)

    def seat(
        self,
        behaviour: str,
        *,
        key: str = "ada",
        wire: Wire = Wire.NDJSON,
        restart: RestartPolicy = RestartPolicy.ON_FAILURE,
        first_line: Callable[[], Awaitable[Model]] | None = None,
        readiness_probe: Callable[[], Awaitable[Proof]] | None = None,
        liveness_probe: Callable[[], Awaitable[bool]] | None = None,
        health_check: HealthCheck = NOTHING,
        kind: SeatKind = SeatKind.AGENT,
        **env: str,
    ) -> None:
        self.supervisor.add(
            AnySeat(
                lambda: misbehaving(behaviour, self.meeting, **env),
                key=key,
                kind=kind,
                wire=wire,
                restart=restart,
                first_line=first_line,
                readiness_probe=readiness_probe,
                liveness_probe=liveness_probe,
                health_check=health_check,
            )
        )

    async def reaches(self, state: ProcessState, key: str = "ada") -> None:
        async with asyncio.timeout(BOUND_S):
            await self.supervisor.wait_until(lambda meeting: meeting.seats[key].state is state)

    def kinds(self, *kinds: type[SeatEvent]) -> list[SeatEvent]:
        return [event for event in self.events if isinstance(event, kinds)]


@asynccontextmanager
async def _running(tmp_path: Path, meeting: str) -> AsyncIterator[Room]:
    async with Supervisor(
        meeting=meeting, room="standup", log_dir=tmp_path, mask=Masker(["sentinel-4711"]), stop_timeout_s=2
    ) as supervisor:
        yield Room(supervisor, meeting)
