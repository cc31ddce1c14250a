"""Keeps the meeting's room open: made at the start, and made again when its server has lost it.

A local server that was started again knows nothing of the rooms it had, and nobody can come back into one that is
not there: servers are told to open none by themselves. At the end the room is closed behind everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable

from meetctl.errors import LiveKitError
from meetctl.rooms import Rooms
from meetctl.supervisor.tasks import begun

RETRY_S = 1.0
"""Between two tries at a server that does not answer."""
PATIENCE_S = 45.0
"""Of one that wants to join: afterwards it says why it cannot, and is started again later."""


class OpenRoom:
    """One room on one server.

    Args:
        server_is_up: returns when the local server answers, at once where the server is not ours.
        server_is_own: whether it is ours, and takes its rooms along when it ends.
    """

    def __init__(
        self, room: str, rooms: Rooms, server_is_up: Callable[[], Awaitable[None]], *, server_is_own: bool
    ) -> None:
        self.own = False
        """Whether this meeting made the room, and so may delete it."""
        self._room = room
        self._rooms = rooms
        self._server_is_up = server_is_up
        self._server_is_own = server_is_own
        self._one_at_a_time = asyncio.Lock()

    async def make(self) -> None:
        """Makes the room, unless there is one already; who is cancelled meanwhile knows whether it was made.

        Raises:
            LiveKitError: if the server cannot be reached or refuses.
        """
        async with self._one_at_a_time:
            making = begun(self._rooms.create(self._room))
            try:
                self.own = await asyncio.shield(making) or self.own
            except asyncio.CancelledError:
                # The server may have been asked already: a room that nobody knows of would stay there for days.
                with contextlib.suppress(LiveKitError):
                    self.own = await making or self.own
                raise

    async def wait_open(self) -> None:
        """Returns when the server answers and the room is there, making it again where it has been lost.

        Raises:
            LiveKitError: what the server last said, when patience is at an end.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            await self._server_is_up()
            try:
                await self.make()
                return
            except LiveKitError:
                if time.monotonic() > until:
                    raise
            await asyncio.sleep(RETRY_S)

    async def undo(self) -> None:
        """Deletes a room that was made for a meeting which never began: elsewhere it would stay for days."""
        if self.own and not self._server_is_own:
            with contextlib.suppress(LiveKitError):
                await self._rooms.delete(self._room)

    async def close(self, ours: Iterable[str]) -> bool:
        """Deletes our own room; in somebody else's, only our own participants go. Returns whether it was deleted.

        Args:
            ours: their identities, asked for one by one.
        """
        try:
            if self.own:
                await self._rooms.delete(self._room)
                return not await self._rooms.exists(self._room)
            for identity in ours:
                await self._rooms.remove(self._room, identity)
        except LiveKitError:
            # A local server takes its rooms along when it ends; a remote one is reported as not deleted.
            return self._server_is_own
        return False
