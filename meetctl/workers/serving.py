"""The seat of a worker's process, on the machine that `meetctl worker` runs on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from meetctl.programs.launch import service_environment
from meetctl.protocol import Model, RestartPolicy
from meetctl.settings import environment
from meetctl.supervisor.events import Proof, SeatKind, WireEvent
from meetctl.supervisor.launcher import LaunchSpec, python_argv
from meetctl.supervisor.process import Wire
from meetctl.supervisor.seat_spec import Seat

WORKER_SEAT = "worker"
WORKER_MODULE = "meetctl_agents.worker.serving"
SECRET = "LIVEKIT_"
"""How the variables begin that hold the server's address and keys: they go by the wire, and to no agent."""


class WorkerSeat(Seat):
    """The seat of LiveKit's worker, which comes back where it is lost.

    Args:
        order: makes its first line.
        mark: variables that mark every process.
    """

    attends = True

    def __init__(self, order: Callable[[], Awaitable[Model]], mark: Mapping[str, str]) -> None:
        super().__init__(
            key=WORKER_SEAT,
            name=WORKER_SEAT,
            kind=SeatKind.SERVICE,
            program=WORKER_SEAT,
            wire=Wire.NDJSON,
            proofs=frozenset({Proof.READY}),
            restart=RestartPolicy.ALWAYS,
        )
        self._order = order
        self._mark = mark

    def spec(self) -> LaunchSpec:
        # Its agents find their providers' keys in it, so it has all that `meetctl worker` was started with.
        own = {name: value for name, value in environment().items() if not name.startswith(SECRET)}
        return LaunchSpec(python_argv(WORKER_MODULE), {**own, **service_environment(self._mark)})

    async def first_line(self) -> Model:
        return await self._order()

    def proofs_in(self, event: WireEvent) -> frozenset[str]:
        return frozenset()
