"""No task takes its exception with it unread."""

from __future__ import annotations

import asyncio
import logging

import pytest
from meetctl_agents.process.tasks import Tasks


async def test_a_task_that_ends_by_an_exception_is_written_down_and_told(caplog: pytest.LogCaptureFixture) -> None:
    told: list[tuple[str, str]] = []
    tasks = Tasks(lambda name, error: told.append((name, str(error))))

    async def breaks() -> None:
        raise ValueError("no good")

    with caplog.at_level(logging.ERROR):
        task = tasks.own(breaks(), "some work")
        await asyncio.wait({task})
        await asyncio.sleep(0)
    assert told == [("some work", "no good")]
    assert "some work ended by an exception" in caplog.text and "ValueError: no good" in caplog.text


async def test_what_ends_well_or_is_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error}"))
    done = tasks.own(asyncio.sleep(0, 3), "short")
    endless = tasks.own(asyncio.Event().wait(), "endless")
    assert await done == 3
    await tasks.aclose()
    assert endless.cancelled() and not caplog.records
