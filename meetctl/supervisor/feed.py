"""Hands on what happens to readers of their own pace: each has a bounded queue, and is told how much it missed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

WAITING_EVENTS = 1000
"""A few minutes of a meeting of four; some hundred kilobytes for a reader that does not read."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """So many events stood here that the reader was too slow for."""

    count: int


@dataclass(slots=True)
class _Reader(Generic[Item]):
    waiting: deque[Item]
    dropped: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Feed(Generic[Item]):
    """Takes events without ever waiting; who reads too slowly loses the oldest."""

    def __init__(self, *, limit: int = WAITING_EVENTS) -> None:
        self._limit = limit
        self._readers: list[_Reader[Item]] = []
        self._closed = False

    def publish(self, event: Item) -> None:
        """Hands the event to everybody who reads now."""
        for reader in self._readers:
            if len(reader.waiting) == self._limit:
                reader.waiting.popleft()
                reader.dropped += 1
            reader.waiting.append(event)
            reader.wake.set()

    def close(self) -> None:
        """Ends every reading, after what still waits."""
        self._closed = True
        for reader in self._readers:
            reader.wake.set()

    @contextlib.contextmanager
    def reading(self) -> Iterator[AsyncIterator[Item | Dropped]]:
        """Gives what happens from now on, until the feed is closed."""
        reader: _Reader[Item] = _Reader(deque())
        self._readers.append(reader)
        try:
            yield self._items(reader)
        finally:
            self._readers.remove(reader)

    async def _items(self, reader: _Reader[Item]) -> AsyncIterator[Item | Dropped]:
        while True:
            while reader.waiting:
                if reader.dropped:
                    count, reader.dropped = reader.dropped, 0
                    yield Dropped(count)
                yield reader.waiting.popleft()
            if self._closed:
                return
            reader.wake.clear()
            await reader.wake.wait()
