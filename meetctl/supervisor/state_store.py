"""The state of a meeting as its events have made it so far, and whoever waits for more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from meetctl.supervisor.events import SeatEvent
from meetctl.supervisor.state import MeetingState, apply
from meetctl.supervisor.tasks import Tasks


class StateStore:
    """Folds every event into one state and hands it on."""

    def __init__(self, room: str, tasks: Tasks) -> None:
        self.state = MeetingState(room=room)
        self._tasks = tasks
        self._listeners: list[Callable[[SeatEvent], None]] = []
        self._changed = asyncio.Condition()

    def listen(self, listener: Callable[[SeatEvent], None]) -> None:
        """Hands every further event to the listener, after it is folded into `state`."""
        self._listeners.append(listener)

    def emit(self, event: SeatEvent) -> None:
        """Folds an event into the state and tells the listeners."""
        self.state = apply(self.state, event)
        for listener in self._listeners:
            listener(event)
        self._tasks.own(self._announce(), "announce")

    async def wait_until(self, condition: Callable[[MeetingState], bool]) -> MeetingState:
        """Waits until the state meets the condition; bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self.state))
        return self.state

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()
