from __future__ import annotations

import asyncio
import threading

import pytest

from meetctl.local.models.failures import Busy
from meetctl.local.models.slot_pool import SlotPool

BOUND = 5.0


class Gate:
    """Blocking work that says when it runs and goes on when it is let."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, place: int) -> int:
        self.entered.set()
        assert self.open.wait(BOUND)
        return place

    async def wait_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, BOUND)


async def test_the_more_urgent_goes_first_and_equals_in_order_of_arrival() -> None:
    slots = SlotPool("test", count=1, waiting=8)
    gate, order = Gate(), list[str]()
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        group.create_task(slots.run_at(gate))
        await gate.wait_entered()
        for name, priority in (("late 1", 1), ("late 2", 1), ("soon 1", 0), ("soon 2", 0)):

            def note(place: int, name: str = name) -> None:
                order.append(name)

            group.create_task(slots.run_at(note, priority=priority))
        while slots.statistics()["waiting"] < 4:
            await asyncio.sleep(0)
        gate.open.set()
    assert order == ["soon 1", "soon 2", "late 1", "late 2"]
    assert slots.statistics() == {"running": 0, "waiting": 0}


async def test_a_full_queue_refuses() -> None:
    slots = SlotPool("test", count=1, waiting=0)
    gate = Gate()
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        group.create_task(slots.run_at(gate))
        await gate.wait_entered()
        with pytest.raises(Busy):
            await slots.run_at(lambda place: place)
        gate.open.set()


async def test_who_leaves_the_queue_never_runs() -> None:
    slots = SlotPool("test", count=1, waiting=8)
    gate, ran = Gate(), list[int]()
    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        group.create_task(slots.run_at(gate))
        await gate.wait_entered()
        leaving = group.create_task(slots.run_at(ran.append))
        while not slots.statistics()["waiting"]:
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait((leaving,))
        assert slots.statistics() == {"running": 1, "waiting": 0}
        gate.open.set()
    assert ran == []


async def test_a_place_stays_taken_until_its_thread_has_ended_though_the_caller_left() -> None:
    slots = SlotPool("test", count=1, waiting=8)
    gate = Gate()
    async with asyncio.timeout(BOUND):
        leaving = asyncio.create_task(slots.run_at(gate))
        await gate.wait_entered()
        leaving.cancel()
        await asyncio.wait((leaving,))
        assert slots.statistics()["running"] == 1
        gate.open.set()
        assert await slots.run_at(lambda place: place) == 0


async def test_a_failure_frees_the_place_and_reaches_the_caller() -> None:
    slots = SlotPool("test", count=1, waiting=0)

    def fail(place: int) -> None:
        raise LookupError(place)

    with pytest.raises(LookupError):
        await slots.run_at(fail)
    assert await slots.run_at(lambda place: place) == 0


async def test_a_key_comes_back_to_its_place_and_a_new_one_takes_the_place_that_rested_longest() -> None:
    slots = SlotPool("test", count=3, waiting=0)
    used = [await slots.run_at(lambda place: place, key=key) for key in ("ada", "max", "zoe", "max", "ada", "new")]
    assert used == [0, 1, 2, 1, 0, 2]
