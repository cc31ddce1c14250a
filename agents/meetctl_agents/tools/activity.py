"""Shows people in the room what an agent is doing: a participant attribute, the newest of whatever was told."""

from __future__ import annotations

import asyncio
import logging

from livekit import rtc

from meetctl.protocol import ACTIVITY_ATTRIBUTE

from ..process.tasks import Tasks

TELL_S = 5.0
"""The server answers in milliseconds; runs out where the room is lost."""

logger = logging.getLogger(__name__)


class Activity:
    """Sets the attribute; ended by `aclose`."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._wanted = self._told = ""
        self._tasks = Tasks()
        self._is_telling = False

    def tell(self, words: str) -> None:
        """Has it say this; empty = nothing in particular."""
        self._wanted = words
        if not self._is_telling:
            self._is_telling = True
            self._tasks.own(self._tell(), "activity")

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _tell(self) -> None:
        try:
            while self._told != self._wanted:
                words = self._wanted
                async with asyncio.timeout(TELL_S):
                    await self._room.local_participant.set_attributes({ACTIVITY_ATTRIBUTE: words})
                self._told = words
        except Exception as error:  # it is for the eye; the tool goes on
            logger.warning("what it does cannot be shown: %r", error)
        finally:
            self._is_telling = False
