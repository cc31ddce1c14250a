"""Starts children that misbehave, under the real launcher."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from meetctl.protocol import MediaKind, Model, RestartPolicy
from meetctl.supervisor.events import Proof, SeatKind
from meetctl.supervisor.health import NOTHING, HealthCheck
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.process import Wire
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.sweep import MEETING_VARIABLE

ROOT = Path(__file__).parents[3]


def misbehaving(behaviour: str, meeting: str = "none", **env: str) -> LaunchSpec:
    """Returns how to start `tests/programs/misbehave.py` with this behaviour."""
    return LaunchSpec(
        (sys.executable, "-m", "tests.programs.misbehave", behaviour),
        {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", MEETING_VARIABLE: meeting, **env},
        ROOT,
    )


class AnySeat(Seat):
    """A seat that runs what a test wants, and answers what it wants."""

    def __init__(
        self,
        spec: Callable[[], LaunchSpec],
        *,
        key: str = "ada",
        name: str | None = None,
        kind: SeatKind = SeatKind.AGENT,
        program: str = "audio",
        wire: Wire = Wire.NDJSON,
        health_check: HealthCheck = NOTHING,
        restart: RestartPolicy = RestartPolicy.ON_FAILURE,
        first_line: Callable[[], Awaitable[Model]] | None = None,
        readiness_probe: Callable[[], Awaitable[Proof]] | None = None,
        liveness_probe: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        super().__init__(
            key=key,
            name=name or key.title(),
            kind=kind,
            program=program,
            wire=wire,
            health_check=health_check,
            sends=frozenset({MediaKind.AUDIO}) if program == "audio" else frozenset(),
            restart=restart,
        )
        self.attends = wire is Wire.NDJSON and (first_line is not None or kind is SeatKind.AGENT)
        self._spec = spec
        self._first_line = first_line
        self._readiness_probe = readiness_probe
        self._liveness_probe = liveness_probe

    def spec(self) -> LaunchSpec:
        return self._spec()

    async def first_line(self) -> Model | None:
        return None if self._first_line is None else await self._first_line()

    async def readiness_probe(self) -> Proof | None:
        return None if self._readiness_probe is None else await self._readiness_probe()

    async def liveness_probe(self) -> bool | None:
        return None if self._liveness_probe is None else await self._liveness_probe()
