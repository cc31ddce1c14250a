"""Who may use a model now: a bounded number of places and a bounded queue in front of them. Knows no model.

A request that is cancelled (its client left) leaves the queue at once; one that already runs in a native thread keeps
its place until that thread has really ended, so that two never share what only one can use.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from meetctl.local.models.failures import Busy

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(order=True)
class _Waiting:
    priority: int
    number: int
    key: str = field(compare=False)
    turn: asyncio.Future[int] = field(compare=False)


class SlotPool:
    """Runs blocking calls, at most `count` at a time; a lower priority number goes first, then first come.

    Each place remembers the key it was last used with and is preferred for it: a language model's cached prompt.
    """

    def __init__(self, what: str, *, count: int, waiting: int) -> None:
        self._what = what
        self._limit = waiting
        self._free = list(range(count))
        self._keys = [""] * count
        self._queue: list[_Waiting] = []
        self._arrivals = 0
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=what)

    def statistics(self) -> dict[str, int]:
        """Returns how many requests run and wait."""
        return {"running": self._count - len(self._free), "waiting": len(self._queue)}

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs the function in a thread of its own when it is its turn."""
        return await self.run_at(lambda place: function(*args, **kwargs))

    async def run_at(self, function: Callable[[int], T], *, key: str = "", priority: int = 0) -> T:
        """Runs the function with the number of the place it got.

        Raises:
            Busy: if too many wait already.
        """
        place = await self._take(key, priority)
        running = asyncio.get_running_loop().run_in_executor(self._threads, function, place)
        running.add_done_callback(lambda done: self._done(place, done))
        # Shielded, because cancelling the future would not stop the thread: it would only give its place away.
        return await asyncio.shield(running)

    async def _take(self, key: str, priority: int) -> int:
        if self._free:
            return self._assign(key)
        if len(self._queue) >= self._limit:
            raise Busy(self._what, self._limit)
        self._arrivals += 1
        waiting = _Waiting(priority, self._arrivals, key, asyncio.get_running_loop().create_future())
        heapq.heappush(self._queue, waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
                heapq.heapify(self._queue)
            elif waiting.turn.done() and not waiting.turn.cancelled():
                self._release(waiting.turn.result())
            raise

    def _assign(self, key: str) -> int:
        place = next((place for place in self._free if self._keys[place] == key), self._free[0])
        self._free.remove(place)
        self._keys[place] = key
        return place

    def _done(self, place: int, running: asyncio.Future[T]) -> None:
        if not running.cancelled():
            running.exception()  # seen here where the caller is gone
        self._release(place)

    def _release(self, place: int) -> None:
        self._free.append(place)  # the end of the list: the place that rested longest goes first
        while self._queue and self._free:
            waiting = heapq.heappop(self._queue)
            if not waiting.turn.done():
                waiting.turn.set_result(self._assign(waiting.key))
