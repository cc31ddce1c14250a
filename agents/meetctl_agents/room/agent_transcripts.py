"""The words of agents outside the floor: a `command:` with a voice of its own publishes them as LiveKit's transcripts.

Only streams of those agents themselves are read, and only what they say in their own name; everybody else's captions
are for display, and whatever a guest sends in anybody's name is ignored.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from livekit import rtc

from ..process.tasks import Tasks
from .captions import TOPIC
from .seating import seat_of_identity

READ_S = 120.0
"""A turn is streamed as it is spoken; one that is never finished must not be waited for."""
LONGEST_TEXT = 4000
"""Characters; the rest is cut off."""
FINAL = "lk.transcription_final"

logger = logging.getLogger(__name__)

Spoken = Callable[[str, str], None]
"""Told the seat of the agent and what it said."""


class AgentTranscripts:
    """Hands over each finished stretch of what those say for whom `is_outside` holds."""

    def __init__(self, room: rtc.Room, is_outside: Callable[[str], bool], spoken: Spoken) -> None:
        self._room = room
        self._is_outside = is_outside
        self._spoken = spoken
        self._reading = Tasks()

    def open(self) -> None:
        self._room.register_text_stream_handler(TOPIC, self._on_stream)

    async def aclose(self) -> None:
        self._room.unregister_text_stream_handler(TOPIC)
        await self._reading.aclose()

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        seat = seat_of_identity(self._room, identity)
        if not self._is_outside(seat):
            reader.close()
            return
        self._reading.own(self._read(reader, seat), f"overhearing-{seat}")

    async def _read(self, reader: rtc.TextStreamReader, seat: str) -> None:
        text = ""
        try:
            async with asyncio.timeout(READ_S):
                async for chunk in reader:
                    text = (text + chunk)[:LONGEST_TEXT]
        except Exception as error:
            logger.info("what %r said was cut short: %r", seat, error)
        finally:
            reader.close()
        # A stream of words still to be corrected says so at its end too; the corrected one follows.
        if text.strip() and (reader.info.attributes or {}).get(FINAL, "true") != "false":
            self._spoken(seat, text.strip())
