"""Looks now and then at what every process of the meeting uses."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import psutil

from meetctl.supervisor.events import Sampled, SeatKind
from meetctl.supervisor.supervisor import Supervisor

INTERVAL_S = 10.0
"""Reading a process's unique memory costs the kernel a walk over its pages; more often is not worth it."""
SERVICE_EVERY = 6
"""Rounds between two looks at the memory of a service that is not young: it has no bound to keep, and a model's is the
largest walk of all."""
YOUNG = 5
"""Rounds in which a process takes what it needs: 25 s."""
FIRST_S = 1.0
"""So that a short meeting has figures too."""


@dataclass(slots=True)
class _Watched:
    process: psutil.Process
    rounds: int = 0
    memory_mb: float = 0.0


async def sample_forever(supervisor: Supervisor) -> None:
    """Emits `Sampled` for every seat that has a process, until cancelled."""
    watched: dict[int, _Watched] = {}
    interval = FIRST_S
    while True:
        await asyncio.sleep(interval)
        pids = dict(supervisor.pids())
        watched = {pid: one for pid, one in watched.items() if pid in pids.values()}
        for seat, pid in pids.items():
            try:
                one = watched.get(pid) or watched.setdefault(pid, _Watched(psutil.Process(pid)))
                cpu = one.process.cpu_percent()
                if supervisor.state.seats[seat].kind is SeatKind.AGENT or _is_due(one.rounds):
                    one.memory_mb = await asyncio.to_thread(_unique_mb, one.process)
                one.rounds += 1
            except (KeyError, psutil.Error):
                continue  # it ended meanwhile; its exit is another event
            supervisor.emit(Sampled(seat, cpu, one.memory_mb, time.monotonic()))
        interval = min(interval * 2, INTERVAL_S)


def _is_due(rounds: int) -> bool:
    return rounds < YOUNG or rounds % SERVICE_EVERY == 0


def _unique_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6
