from __future__ import annotations

import asyncio
import threading

from meetctl.local.models.idle_scheduler import IdleScheduler

BOUND_S = 5.0


class Work:
    """Runs until it is told to let go, or for good once `finishes` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.finishes = asyncio.Event()
        self.runs = asyncio.Event()

    async def __call__(self, gone: threading.Event) -> None:
        self.begun += 1
        self.runs.set()
        while not gone.is_set() and not self.finishes.is_set():
            await asyncio.sleep(0)
        self.runs.clear()


async def test_leisurely_work_runs_at_once_where_nobody_hurries() -> None:
    leisure, work = IdleScheduler(), Work()
    work.finishes.set()
    async with asyncio.timeout(BOUND_S):
        await leisure.run(work)
    assert work.begun == 1


async def test_a_hurry_breaks_it_off_and_begins_only_once_it_has_let_go() -> None:
    leisure, work = IdleScheduler(), Work()
    async with asyncio.timeout(BOUND_S):
        running = asyncio.create_task(leisure.run(work))
        await work.runs.wait()
        async with leisure.hurry():
            assert not work.runs.is_set(), "it had let go"
            await asyncio.sleep(0)
            assert work.begun == 1, "it waits for the end of the hurry"
        work.finishes.set()
        await running
    assert work.begun == 2, "and then runs from its start"


async def test_it_waits_for_the_last_of_several_in_a_hurry() -> None:
    leisure, work = IdleScheduler(), Work()
    work.finishes.set()
    async with asyncio.timeout(BOUND_S):
        async with leisure.hurry():
            async with leisure.hurry():
                running = asyncio.create_task(leisure.run(work))
            await asyncio.sleep(0)
            assert work.begun == 0
        await running
    assert work.begun == 1


async def test_who_gives_up_waiting_takes_the_work_along() -> None:
    leisure, work = IdleScheduler(), Work()
    async with asyncio.timeout(BOUND_S):
        running = asyncio.create_task(leisure.run(work))
        await work.runs.wait()
        running.cancel()
        await asyncio.wait({running})
        async with leisure.hurry():
            assert not work.finishes.is_set()
    assert running.cancelled()
