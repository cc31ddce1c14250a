"""What a meeting's processes use is looked at for as long as the meeting lasts, whoever of them ends meanwhile."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from meetctl.meeting import sampling
from meetctl.supervisor.events import Sampled, SeatEvent, SeatKind
from meetctl.supervisor.supervisor import Supervisor

BOUND_S = 20.0


async def test_a_process_that_ends_just_before_it_is_looked_at_keeps_nobody_else_from_being(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "FIRST_S", 0.01)
    free = next(pid for pid in range(2**22 - 1, 2, -1) if not psutil.pid_exists(pid))
    pids = {"gone": free, "unseated": os.getpid(), "here": os.getpid()}
    seats = {key: SimpleNamespace(kind=SeatKind.AGENT) for key in ("gone", "here")}
    seen: asyncio.Queue[SeatEvent] = asyncio.Queue()
    supervisor = SimpleNamespace(pids=lambda: pids, state=SimpleNamespace(seats=seats), emit=seen.put_nowait)
    looking = asyncio.create_task(sampling.sample_forever(cast(Supervisor, supervisor)))
    try:
        async with asyncio.timeout(BOUND_S):
            events = [await seen.get() for _ in range(2)]
    finally:
        looking.cancel()
        await asyncio.wait({looking})
    assert [event.seat for event in events if isinstance(event, Sampled) and event.memory_mb > 0] == ["here", "here"]
