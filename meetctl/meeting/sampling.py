"""Looks now and then at what every process of the meeting uses."""

from __future__ import annotations

import asyncio
import time

import psutil

from meetctl.supervisor.events import Sampled
from meetctl.supervisor.supervisor import Supervisor

INTERVAL_S = 10.0
"""Reading a process's unique memory costs the kernel a walk over its pages; more often is not worth it."""
FIRST_S = 1.0
"""So that a short meeting has figures too."""


async def sample_forever(supervisor: Supervisor) -> None:
    """Emits `Sampled` for every seat that has a process, until cancelled."""
    known: dict[int, psutil.Process] = {}
    interval = FIRST_S
    while True:
        await asyncio.sleep(interval)
        pids = dict(supervisor.pids())
        known = {pid: known.get(pid) or psutil.Process(pid) for pid in pids.values() if psutil.pid_exists(pid)}
        for seat, pid in pids.items():
            try:
                process = known[pid]
                cpu = process.cpu_percent()
                memory = await asyncio.to_thread(_unique_mb, process)
            except (KeyError, psutil.Error):
                continue  # it ended meanwhile; its exit is another event
            supervisor.emit(Sampled(seat, cpu, memory, time.monotonic()))
        interval = min(interval * 2, INTERVAL_S)


def _unique_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 1e6
