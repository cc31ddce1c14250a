"""Tasks with an owner: none ends by an exception that nobody reads. The one place of the orchestrator that makes any.

Work that goes on by itself is owned by `Tasks`, which reports what it raised; what somebody waits for at once is made
by `begun`, and whoever makes it awaits it or cancels it in the same function.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """Owns tasks until they end or `cancel` ends them.

    Args:
        failed: told the name of a task and what it raised; a cancel is no failure.
    """

    def __init__(self, failed: Callable[[str, BaseException], object]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[Any]] = set()

    def own(self, work: Awaitable[T], name: str) -> asyncio.Task[T]:
        """Begins the work and keeps it."""
        task = begun(work, name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def cancel(self) -> None:
        """Ends what still runs, and waits for it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(task.get_name(), error)


def begun(work: Awaitable[T], name: str | None = None) -> asyncio.Task[T]:
    """Returns the work as a task that the calling function itself awaits or cancels."""
    return asyncio.get_running_loop().create_task(_awaiting(work), name=name)


async def all_of(*work: Awaitable[T]) -> list[T]:
    """Returns what came of all of it, in this order; what one raises is told when the others are done too.

    Raises:
        BaseException: the first of what any of it raised.
    """
    outcomes = await asyncio.gather(*work, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


def _awaiting(work: Awaitable[T]) -> Coroutine[Any, Any, T]:
    if asyncio.iscoroutine(work):
        return work

    async def awaiting() -> T:
        return await work

    return awaiting()
