"""Work that waits until nobody is in a hurry, and lets go as soon as somebody is. Knows no model.

Reading a conversation before its answer is asked for is worth it only in time that is left over: two that share a core
each take twice as long.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

Work = Callable[[threading.Event], Coroutine[Any, Any, None]]


@dataclass(eq=False, slots=True)
class _Attempt:
    task: asyncio.Task[None]
    gone: threading.Event
    broken_off: bool = False
    """Not whether `gone` is set: the work may set it at its end."""


class IdleScheduler:
    """Tells leisurely work when it may run, and when it must break off."""

    def __init__(self) -> None:
        self._hurried = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._attempts: set[_Attempt] = set()

    @asynccontextmanager
    async def hurry(self) -> AsyncIterator[None]:
        """Holds leisurely work up; entered once what ran has let go."""
        self._hurried += 1
        self._calm.clear()
        for attempt in self._attempts:
            attempt.broken_off = True
            attempt.gone.set()
        try:
            if self._attempts:
                await asyncio.wait([attempt.task for attempt in self._attempts])
            yield
        finally:
            self._hurried -= 1
            if not self._hurried:
                self._calm.set()

    async def run(self, work: Work) -> None:
        """Runs the work when it is calm, from its start again where it was broken off.

        Args:
            work: ends soon once its event is set.
        """
        while True:
            await self._calm.wait()
            attempt = self._begin(work)
            try:
                await asyncio.shield(attempt.task)
            except asyncio.CancelledError:
                attempt.gone.set()
                attempt.task.cancel()
                raise
            if not attempt.broken_off:
                return

    def _begin(self, work: Work) -> _Attempt:
        gone = threading.Event()
        attempt = _Attempt(asyncio.create_task(work(gone)), gone)
        self._attempts.add(attempt)
        attempt.task.add_done_callback(lambda _: self._attempts.discard(attempt))
        return attempt
