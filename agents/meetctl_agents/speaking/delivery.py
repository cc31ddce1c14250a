"""What an agent said, on its way to the chair: in order, each until a chair took it. Knows no turns.

A release is a fact: the transcript and everybody's memory depend on it, and the chair may be away, just starting, or
another process by then. The chair knows a release by its grant's id, so it may come twice. Where the agent has to go
before a chair took it, it is handed to whoever else writes it down.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from livekit import rtc
from livekit.agents import utils

from meetctl.protocol import RELEASE, Release

from ..room.events import RoomEvents
from ..room.methods import MALFORMED, call
from ..room.seating import seat_of

AGAIN_S = 0.5
"""Between two attempts. A chair that comes back is noticed at once, and serves its methods a moment later."""

logger = logging.getLogger(__name__)


class Deliveries:
    """Hands releases to the chair; ended by `aclose`.

    Args:
        left_over: told of each release that no chair took, when it is too late for one.
    """

    def __init__(self, room: rtc.Room, chair: str | None, left_over: Callable[[Release], None]) -> None:
        self._room = room
        self._chair = chair
        self._left_over = left_over
        self._waiting: deque[Release] = deque()
        self._posted = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._came = asyncio.Event()
        self._events = RoomEvents(room, participant_connected=self._on_came)
        self._events.attach()
        self._sending = asyncio.create_task(self._send(), name="deliveries")

    def post(self, release: Release) -> None:
        """Has the chair told, and told again until it took it."""
        self._waiting.append(release)
        self._settled.clear()
        self._posted.set()

    async def aclose(self, within_s: float) -> None:
        """Waits until everything is delivered, at most so long; what is left then is told to `left_over`."""
        try:
            if self._room.isconnected():
                async with asyncio.timeout(within_s):
                    await self._settled.wait()
        except TimeoutError:
            logger.warning("the chair took no release within %.1f s", within_s)
        finally:
            self._events.detach()
            await utils.aio.cancel_and_wait(self._sending)
            for release in self._waiting:
                self._left_over(release)
            self._waiting.clear()

    async def _send(self) -> None:
        while True:
            await self._posted.wait()
            self._posted.clear()
            while self._waiting:
                await self._deliver(self._waiting[0])
                self._waiting.popleft()
            self._settled.set()

    async def _deliver(self, release: Release) -> None:
        told = False
        while self._chair is not None:
            self._came.clear()
            try:
                await call(self._room, self._chair, RELEASE, release)
                return
            except Exception as error:
                if isinstance(error, rtc.RpcError) and error.code == MALFORMED:
                    logger.error("the chair does not understand the release of %s", release.grant_id)
                    self._left_over(release)
                    return
                if not told:
                    told = True
                    logger.warning(
                        "the release of %s is told again until a chair takes it: %s", release.grant_id, error
                    )
            await self._wait_again()

    async def _wait_again(self) -> None:
        try:
            async with asyncio.timeout(AGAIN_S):
                await self._came.wait()
        except TimeoutError:
            pass

    def _on_came(self, participant: rtc.RemoteParticipant) -> None:
        if seat_of(participant) == self._chair:
            self._came.set()
