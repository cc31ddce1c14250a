"""A job's end of the wire to its controller, where it is no pipe: lines out as text streams, commands in as packets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from livekit import rtc

from meetctl.protocol import BadLine, Command, Model, encode_line, parse_command
from meetctl.protocol.dispatch import HEARTBEAT_S, NEWS, ORDERS, link_identity

MOST_WAITING = 10_000
"""Lines for a controller that is gone; what comes after is dropped, memory is not."""

logger = logging.getLogger(__name__)


class News:
    """Tells the controller what happens, and hears what it orders."""

    def __init__(self, room: rtc.Room, seat: str, ordered: Callable[[Command], None]) -> None:
        self._room = room
        self._to = [link_identity(seat)]
        self._ordered = ordered
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._sending: asyncio.Task[None] | None = None
        self.heard_at = time.monotonic()
        """When the controller was heard last."""

    def report(self, message: Model) -> None:
        """Tells it one line; from any thread; never waits."""
        self._loop.call_soon_threadsafe(self._put, encode_line(message))

    def open(self) -> None:
        """Begins; the room is joined."""
        self._room.on("data_received", self._on_data)
        self._sending = asyncio.create_task(self._send(), name="news")

    async def aclose(self, within_s: float) -> None:
        """Ends, once what was reported is sent, or the time is up."""
        self._room.off("data_received", self._on_data)
        if self._sending is None:
            return
        try:
            async with asyncio.timeout(within_s):
                await asyncio.sleep(0)  # what was reported in this very step is put on the queue by now
                await self._lines.join()
        except TimeoutError:
            logger.warning("the last words did not reach the controller")
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)

    def _put(self, line: bytes) -> None:
        try:
            self._lines.put_nowait(line)
        except asyncio.QueueFull:
            logger.error("nobody reads the news; a line is dropped")

    async def _send(self) -> None:
        while True:
            lines: list[bytes] = []
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    lines.append(await self._lines.get())
            except TimeoutError:
                pass
            while not self._lines.empty():
                lines.append(self._lines.get_nowait())
            text = (b"".join(lines) or b"\n").decode()
            try:
                await self._room.local_participant.send_text(text, topic=NEWS, destination_identities=self._to)
            except Exception:  # a network that stands still; the next line is to be sent
                logger.warning("news were not sent", exc_info=True)
            for _ in lines:
                self._lines.task_done()

    def _on_data(self, packet: rtc.DataPacket) -> None:
        if packet.topic != ORDERS or packet.participant is not None:
            return  # whoever is in the room and sends one is named: only the server sends in nobody's name
        self.heard_at = time.monotonic()
        if not packet.data.strip():
            return
        match parse_command(packet.data):
            case BadLine(why=why):
                logger.warning("an order is no command: %s", why)
            case command:
                self._ordered(command)
