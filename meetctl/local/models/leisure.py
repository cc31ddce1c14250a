"""Work that waits until nobody is in a hurry, and lets go as soon as somebody is. Knows no model.

Reading a conversation before its answer is asked for is worth it only in time that is left over: two that share a core
each take twice as long.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


class Leisure:
    """Tells leisurely work when it may run, and when it must break off."""

    def __init__(self) -> None:
        self._hurried = 0
        self._calm = asyncio.Event()
        self._calm.set()
        self._running: set[threading.Event] = set()
        self._broken_off: set[threading.Event] = set()
        self._working: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def hurry(self) -> AsyncIterator[None]:
        """Holds leisurely work up; entered once what ran has let go."""
        self._hurried += 1
        self._calm.clear()
        for gone in self._running:
            self._broken_off.add(gone)
            gone.set()
        try:
            if self._working:
                await asyncio.wait(self._working)
            yield
        finally:
            self._hurried -= 1
            if not self._hurried:
                self._calm.set()

    async def run(self, work: Callable[[threading.Event], Awaitable[None]]) -> None:
        """Runs the work when it is calm, from its start again where it was broken off; it ends soon once its event is
        set."""
        while True:
            await self._calm.wait()
            gone = threading.Event()
            task = asyncio.ensure_future(_awaited(work(gone)))
            self._running.add(gone)
            self._working.add(task)
            task.add_done_callback(self._working.discard)
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                gone.set()
                task.cancel()
                raise
            finally:
                self._running.discard(gone)
                broken_off = gone in self._broken_off  # not whether it is set: the work may set it at its end
                self._broken_off.discard(gone)
            if not broken_off:
                return


async def _awaited(work: Awaitable[None]) -> None:
    await work
