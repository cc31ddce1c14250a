"""A place that the supervisor keeps filled: a value. `seat.py` tells what is known of whoever is in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from meetctl.protocol import Model, RestartPolicy
from meetctl.supervisor.events import Proof, SeatKind
from meetctl.supervisor.health import NOTHING, HealthCheck
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.process import Wire


@dataclass(frozen=True, slots=True)
class Seat:
    """A place that is to be filled, and how."""

    key: str
    name: str
    kind: SeatKind
    program: str
    spec: Callable[[], LaunchSpec]
    """Called at each start."""
    wire: Wire
    after: Callable[[], Awaitable[None]] | None = None
    """Awaited before each start; bounded, never raises."""
    first_line: Callable[[], Awaitable[Model]] | None = None
    """Awaited after each start, so that a program can load while its assignment is still being made."""
    readiness_probe: Callable[[], Awaitable[Proof]] | None = None
    """Waits until something other than the child shows that it serves."""
    liveness_probe: Callable[[], Awaitable[bool]] | None = None
    """Asks a service that serves whether it still answers; bounded, never raises."""
    health_check: HealthCheck = NOTHING
    """What it must do so as not to be replaced."""
    proofs: frozenset[Proof] = frozenset({Proof.READY})
    restart: RestartPolicy = RestartPolicy.ON_FAILURE
