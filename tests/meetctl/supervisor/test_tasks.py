"""What a task raises is read by its owner, whoever waits for it or not."""

from __future__ import annotations

import asyncio

import pytest

from meetctl.supervisor.tasks import Tasks, all_of


async def fail() -> None:
    raise ValueError("nobody waits for this")


async def test_what_an_owned_task_raises_is_reported_with_its_name_and_a_cancel_is_not() -> None:
    failed: list[tuple[str, str]] = []
    tasks = Tasks(lambda name, error: failed.append((name, str(error))))
    failing = tasks.own(fail(), "failing")
    tasks.own(asyncio.Event().wait(), "waiting")
    await asyncio.wait({failing})
    await tasks.cancel()
    assert failed == [("failing", "nobody waits for this")]


async def test_whatever_can_be_awaited_can_be_owned() -> None:
    tasks = Tasks(lambda name, error: None)
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = tasks.own(answer, "answer")
    answer.set_result(7)
    assert await task == 7


async def test_what_one_of_several_raises_is_told_when_the_others_are_done_too() -> None:
    done: list[str] = []
    go_on = asyncio.Event()

    async def slow() -> None:
        await go_on.wait()
        done.append("slow")

    both = asyncio.create_task(all_of(fail(), slow()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not both.done()
    go_on.set()
    with pytest.raises(ValueError, match="nobody waits"):
        await both
    assert done == ["slow"]
