"""Text that people type: LiveKit's chat topic. Reads whole messages, within a bound; judges nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from livekit import rtc
from livekit.agents import utils

TOPIC = "lk.chat"
READ_S = 5.0
"""A message arrives in milliseconds; one that is never finished must not be waited for."""
SHOWN_S = 15.0
"""The server announces a silent newcomer to the others within some seconds, or when it has left again."""
SHOWN_POLL_S = 0.1
LONGEST_MESSAGE = 4000
"""Characters; the rest is cut off."""

logger = logging.getLogger(__name__)

Message = Callable[[rtc.RemoteParticipant, str], None]


class Chat:
    """Hands over each message with who sent it."""

    def __init__(self, room: rtc.Room, message: Message) -> None:
        self._room = room
        self._message = message
        self._reading: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._room.register_text_stream_handler(TOPIC, self._on_stream)

    async def aclose(self) -> None:
        self._room.unregister_text_stream_handler(TOPIC)
        await utils.aio.cancel_and_wait(*self._reading)

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        task = asyncio.create_task(self._read(reader, identity), name="chat")
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        text = ""
        try:
            async with asyncio.timeout(READ_S):
                async for chunk in reader:
                    text += chunk
                    if len(text) >= LONGEST_MESSAGE:
                        break
        except Exception:
            logger.warning("a chat message of %r was not finished", identity, exc_info=True)
            return
        sender = await self._participant(identity)
        if sender is not None and text.strip():
            self._message(sender, text.strip()[:LONGEST_MESSAGE])

    async def _participant(self, identity: str) -> rtc.RemoteParticipant | None:
        """Returns who that is: whoever publishes nothing is shown to others seconds after its first words arrive."""
        deadline = time.monotonic() + SHOWN_S
        while (found := self._room.remote_participants.get(identity)) is None and time.monotonic() < deadline:
            await asyncio.sleep(SHOWN_POLL_S)
        return found
