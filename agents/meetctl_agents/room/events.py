"""What somebody does on a room's events, all of it begun and ended together: an event missed at the end is a leak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit import rtc


class RoomEvents:
    """Calls handlers, by the name of their event, between `heed` and `ignore`."""

    def __init__(self, room: rtc.Room, **handlers: Callable[..., Any]) -> None:
        self._room = room
        self._handlers = handlers

    def attach(self) -> None:
        """Begins."""
        for event, handler in self._handlers.items():
            self._room.on(event, handler)  # type: ignore[arg-type]

    def detach(self) -> None:
        """Ends."""
        for event, handler in self._handlers.items():
            self._room.off(event, handler)  # type: ignore[arg-type]
