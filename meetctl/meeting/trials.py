"""Rooms in which nobody meets anybody: what visitors test their connection in, each open for a minute or two."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from datetime import timedelta

from pydantic import SecretStr

from meetctl.errors import LiveKitError
from meetctl.rooms import Rooms, trial_token
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.tasks import Tasks
from meetctl.web.trial import Trial

ROOM_PREFIX = "connection-test-"
FILLED_S = 60.0
"""For so long visitors are sent to one room, then to the next."""
OPEN_S = 120.0
"""Then whoever is still there is put out: a test takes ten seconds."""
MOST_THERE = 100
"""Participants: two for each visitor, of whom no more come within ten seconds than the page lets."""
TTL = timedelta(minutes=1)


class TrialRooms:
    """Opens rooms as visitors come; ended by `aclose`.

    Args:
        by_tcp: whether the server takes media by TCP.
        failed: told what nobody foresaw.
    """

    def __init__(
        self,
        rooms: Rooms,
        credentials: LiveKitCredentials,
        *,
        by_tcp: bool,
        failed: Callable[[str, BaseException], object],
    ) -> None:
        self._rooms = rooms
        self._credentials = credentials
        self._by_tcp = by_tcp
        self._tasks = Tasks(failed)
        self._one_at_a_time = asyncio.Lock()
        self._room = ""
        self._opened_at = float("-inf")

    async def begin(self) -> Trial:
        """Returns the tokens of one visitor.

        Raises:
            LiveKitError: if the server does not answer.
        """
        async with self._one_at_a_time:
            if time.monotonic() - self._opened_at > FILLED_S:
                self._room = ROOM_PREFIX + secrets.token_hex(8)
                self._opened_at = time.monotonic()
                self._tasks.own(self._close_later(self._room), f"close {self._room}")
            # Again each time: a server that was started anew has no rooms.
            await self._rooms.create(self._room, lasts_s=int(OPEN_S), most=MOST_THERE)
            return Trial(self._token(), self._token() if self._by_tcp else None)

    async def aclose(self) -> None:
        await self._tasks.cancel()

    def _token(self) -> SecretStr:
        identity = f"visitor-{secrets.token_hex(8)}"
        return trial_token(self._credentials, room=self._room, identity=identity, ttl=TTL)

    async def _close_later(self, room: str) -> None:
        await asyncio.sleep(OPEN_S)
        with contextlib.suppress(LiveKitError):  # a server that is away has nobody in its rooms
            await self._rooms.delete(room)
