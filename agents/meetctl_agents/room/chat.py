"""Text that people type: LiveKit's chat topic. Reads whole messages, as many as one may write; judges nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable

from livekit import rtc

from ..process.allowance import LOG_LINES, Allowances, Verdict
from ..process.tasks import Tasks

TOPIC = "lk.chat"
READ_S = 5.0
"""A message arrives in milliseconds; one that is never finished must not be waited for."""
SHOWN_S = 15.0
"""The server announces a silent newcomer to the others within some seconds, or when it has left again."""
SHOWN_POLL_S = 0.1
LONGEST_MESSAGE = 4000
"""Characters; the rest is cut off."""
BURST = 10
"""Messages of one person at once: a list pasted line by line."""
PER_S = 1.0
"""Messages of one person from then on; nobody types faster."""
MOST_OPEN = BURST
"""Messages of one person that are still on their way; a list that is pasted line by line may come all at once."""
MOST_OPEN_OF_ALL = 64
"""The same of everybody."""
TOO_FAST = f"Not everything you write is read: at most {BURST} messages at once, then one a second."

logger = logging.getLogger(__name__)

Message = Callable[[rtc.RemoteParticipant, str], None]
Flooded = Callable[[str], None]
"""Told the identity of somebody whose messages are dropped; once for as long as it goes on."""


class Chat:
    """Hands over each message with who sent it."""

    def __init__(self, room: rtc.Room, message: Message, flooded: Flooded) -> None:
        self._room = room
        self._message = message
        self._flooded = flooded
        self._allowances = Allowances(BURST, PER_S)
        self._complaints = Allowances(*LOG_LINES)
        self._open: Counter[str] = Counter()
        self._tasks = Tasks()

    def open(self) -> None:
        self._room.register_text_stream_handler(TOPIC, self._on_stream)

    async def aclose(self) -> None:
        self._room.unregister_text_stream_handler(TOPIC)
        await self._tasks.aclose()

    def tell(self, identity: str, text: str) -> None:
        """Writes to one person alone."""
        self._tasks.own(self._tell(identity, text), "chat-notice")

    def _on_stream(self, reader: rtc.TextStreamReader, identity: str) -> None:
        if self._is_welcome(identity):
            self._open[identity] += 1
            self._tasks.own(self._take(reader, identity), "chat")
        else:
            reader.close()

    def _is_welcome(self, identity: str) -> bool:
        verdict = self._allowances.take(identity, time.monotonic())
        if verdict is Verdict.REFUSED_FIRST:
            logger.warning("%r writes faster than is read; the rest is dropped", identity)
            self.tell(identity, TOO_FAST)
            self._flooded(identity)
        is_room = self._open[identity] < MOST_OPEN and self._open.total() < MOST_OPEN_OF_ALL
        return verdict is Verdict.TAKEN and is_room

    async def _take(self, reader: rtc.TextStreamReader, identity: str) -> None:
        try:
            text = await _read(reader)
        except Exception as error:
            if self._complaints.take(identity, time.monotonic()) is Verdict.TAKEN:
                logger.warning("a chat message of %r was not finished: %r", identity, error)
            return
        finally:
            reader.close()  # or what follows piles up for the life of the process
            self._open -= Counter({identity: 1})
        sender = await self._participant(identity)
        if sender is not None and text.strip():
            self._message(sender, text.strip())

    async def _participant(self, identity: str) -> rtc.RemoteParticipant | None:
        """Returns who that is: whoever publishes nothing is shown to others seconds after its first words arrive."""
        deadline = time.monotonic() + SHOWN_S
        while (found := self._room.remote_participants.get(identity)) is None and time.monotonic() < deadline:
            await asyncio.sleep(SHOWN_POLL_S)
        return found

    async def _tell(self, identity: str, text: str) -> None:
        try:
            await self._room.local_participant.send_text(text, topic=TOPIC, destination_identities=[identity])
        except Exception as error:
            logger.warning("%r could not be told: %r", identity, error)


async def _read(reader: rtc.TextStreamReader) -> str:
    text = ""
    async with asyncio.timeout(READ_S):
        async for chunk in reader:
            text += chunk
            if len(text) >= LONGEST_MESSAGE:
                break
    return text[:LONGEST_MESSAGE]
