"""What happens in one meeting, for whoever follows it over the control socket: masked, timed, from now on."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from meetctl.protocol.secrets import Masker
from meetctl.status.event_objects import MeetingEvent, dropped_object, event_object, masked, meeting_object
from meetctl.supervisor.feed import Dropped, Feed


class EventStream:
    """Turns events into objects when somebody reads them; while nobody does, they cost nothing."""

    def __init__(self, room: str, mask: Masker) -> None:
        self._room = room
        self._mask = mask
        self._feed: Feed[MeetingEvent] = Feed()

    def publish(self, event: MeetingEvent) -> None:
        """Hands an event to everybody who follows."""
        self._feed.publish(event)

    def close(self) -> None:
        """The meeting is over."""
        self._feed.close()

    def reading(self) -> AbstractContextManager[AsyncIterator[MeetingEvent | Dropped]]:
        """Gives the events themselves, from now on."""
        return self._feed.reading()

    async def stream(self) -> AsyncGenerator[dict[str, Any], None]:
        """Yields `subscribed`, then every event as it happens, then `meeting_ended`."""
        with self._feed.reading() as items:
            yield meeting_object("subscribed", room=self._room, wall=datetime.now(UTC))
            async for item in items:
                yield masked(self._object(item), self._mask)
        yield meeting_object("meeting_ended", room=self._room, wall=datetime.now(UTC))

    def _object(self, item: MeetingEvent | Dropped) -> dict[str, Any]:
        wall = datetime.now(UTC)
        if isinstance(item, Dropped):
            return dropped_object(item, room=self._room, wall=wall)
        return event_object(item, room=self._room, now=time.monotonic(), wall=wall)
