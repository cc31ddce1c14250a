"""Tasks with an owner: one that ends by an exception is written down, and whoever is to know is told.

A task whose end is only noticed by a set of tasks takes its exception with it; nobody ever reads that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar

from livekit.agents import utils

Result = TypeVar("Result")
Failed = Callable[[str, BaseException], None]
"""Told the name of a task and what ended it."""

logger = logging.getLogger(__name__)


def begin(work: Coroutine[Any, Any, Result], name: str, failed: Failed | None = None) -> asyncio.Task[Result]:
    """Begins the work; what it raises is written down and told even if nobody awaits it."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(partial(_read, failed))
    return task


@contextlib.asynccontextmanager
async def entering(manager: AbstractAsyncContextManager[Result]) -> AsyncIterator[asyncio.Task[Result]]:
    """Enters a context beside whatever the block does, and leaves it with the block.

    Yields what is done once it is entered. The context must bear to be left when its entering was broken off.
    """
    task = begin(_entered(manager), "enter")
    try:
        yield task
    finally:
        await utils.aio.cancel_and_wait(task)
        await manager.__aexit__(None, None, None)


async def _entered(manager: AbstractAsyncContextManager[Result]) -> Result:
    return await manager.__aenter__()


class Tasks:
    """Owns tasks until they end; what is still running is ended by `aclose`."""

    def __init__(self, failed: Failed | None = None) -> None:
        self._failed = failed
        self._running: set[asyncio.Task[Any]] = set()

    def own(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Begins the work; what it raises is reported even if nobody awaits it."""
        task = begin(work, name, self._failed)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self, within_s: float | None = None) -> None:
        """Waits until those that run have ended, at most so long; None = as long as it takes."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)

    async def aclose(self) -> None:
        await utils.aio.cancel_and_wait(*self._running)


def _read(failed: Failed | None, task: asyncio.Task[Any]) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    logger.error("%s ended by an exception", task.get_name(), exc_info=error)
    if failed is not None:
        failed(task.get_name(), error)
