"""Whether people are in the room: a face costs money by the minute, and nobody looks at it in an empty room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from livekit import rtc

from ...room.attendance import is_human
from ...room.events import RoomEvents


class HumanPresence:
    """Counts the people of a room that was joined already; a context manager.

    Agents, recorders and streams from elsewhere are no company, nor are `agents`, whatever they join as.
    """

    def __init__(self, room: rtc.Room, agents: Collection[str] = ()) -> None:
        self._room = room
        self._agents = frozenset(agents)
        self._here = asyncio.Event()
        self._alone_since = time.monotonic()
        self._events = RoomEvents(
            room,
            participant_connected=self._look,
            participant_disconnected=self._look,
        )

    def __enter__(self) -> HumanPresence:
        self._events.attach()
        self._look()
        return self

    def __exit__(self, *_: object) -> None:
        self._events.detach()

    @property
    def alone_s(self) -> float:
        """Seconds since the last person left, or since this agent came; 0 while somebody is here."""
        return 0.0 if self._here.is_set() else time.monotonic() - self._alone_since

    async def wait_somebody(self) -> None:
        """Returns once a person is here."""
        await self._here.wait()

    def _look(self, *_: object) -> None:
        if any(is_human(participant, self._agents) for participant in self._room.remote_participants.values()):
            self._here.set()
        elif self._here.is_set():
            self._here.clear()
            self._alone_since = time.monotonic()
