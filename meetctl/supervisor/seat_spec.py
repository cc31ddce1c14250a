"""A place that the supervisor keeps filled. `seat.py` tells what is known of whoever is in it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from meetctl.protocol import MediaKind, Model, RestartPolicy
from meetctl.supervisor.events import Proof, SeatKind, WireEvent
from meetctl.supervisor.health import NOTHING, HealthCheck
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.process import Wire


class Seat(ABC):
    """A place that is to be filled, and how. What the supervisor asks for at each start, a seat's class answers.

    Args:
        health_check: what its process must do so as not to be replaced.
        proofs: what is to be seen of its process before it counts as ready: `Proof`s, or some of its own.
        sends: what it sends into the room.
    """

    attends: bool = False
    """It takes part in the meeting, and leaves before the servers that it leans on."""

    def __init__(
        self,
        *,
        key: str,
        name: str,
        kind: SeatKind,
        program: str,
        wire: Wire,
        health_check: HealthCheck = NOTHING,
        proofs: frozenset[str] = frozenset({Proof.READY}),
        sends: frozenset[MediaKind] = frozenset(),
        restart: RestartPolicy = RestartPolicy.ON_FAILURE,
    ) -> None:
        self.key = key
        self.name = name
        self.kind = kind
        self.program = program
        self.wire = wire
        self.health_check = health_check
        self.proofs = proofs
        self.sends = sends
        self.restart = restart

    @abstractmethod
    def spec(self) -> LaunchSpec:
        """Returns what to launch; asked at each start."""

    async def prepare(self) -> None:
        """Awaited before each start; bounded, never raises."""
        return

    async def first_line(self) -> Model | None:
        """Returns what its program is told first; None = nothing.

        Awaited after each start, so that a program can load while its assignment is still being made.

        Raises:
            MeetctlError: it cannot be made now, which is a failure of the process.
            StandInError: it can never be made.
        """
        return None

    def proofs_in(self, event: WireEvent) -> frozenset[str]:
        """Returns which of its own proofs a message of its process is; pure."""
        return frozenset()

    async def readiness_probe(self) -> Proof | None:
        """Waits until something other than the child shows that it serves; None = the child says so itself.

        Raises:
            MeetctlError: it does not serve, which is a failure of the process.
        """
        return None

    async def liveness_probe(self) -> bool | None:
        """Asks a service that serves whether it still answers; bounded, never raises; None = it cannot be asked."""
        return None
