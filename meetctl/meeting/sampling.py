"""Looks now and then at what every process of the meeting uses."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

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


async def sample_forever(supervisor: Supervisor) -> None:
    """Emits `Sampled` for every seat that has a process, until cancelled."""
    known: dict[int, psutil.Process] = {}
    memories: dict[int, float] = {}
    interval = FIRST_S
    rounds: Counter[int] = Counter()
    while True:
        await asyncio.sleep(interval)
        pids = dict(supervisor.pids())
        known = {pid: known.get(pid) or psutil.Process(pid) for pid in pids.values() if psutil.pid_exists(pid)}
        for seat, pid in pids.items():
            try:
                process = known[pid]
                cpu = process.cpu_percent()
                if supervisor.state.seats[seat].kind is SeatKind.AGENT or _is_due(rounds[pid]):
                    memories[pid] = await asyncio.to_thread(_unique_mb, process)
                rounds[pid] += 1
            except (KeyError, psutil.Error):
                continue  # it ended meanwhile; its exit is another event
            supervisor.emit(Sampled(seat, cpu, memories[pid], time.monotonic()))
        for gone in memories.keys() - known.keys():
            del rounds[gone], memories[gone]
        interval = min(interval * 2, INTERVAL_S)


def _is_due(rounds: int) -> bool:
    return rounds < YOUNG or rounds % SERVICE_EVERY == 0


def _unique_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6
