"""Asks ICE servers whether they are there before anything waits for them: a silent one would cost five seconds."""

from __future__ import annotations

import asyncio
import contextlib
import re

from aioice import stun
from aiortc import RTCIceServer

ANSWER_S = 1.0
"""A STUN server answers within a round trip; asked three times in that time."""
ASK_EVERY_S = 0.3
"""UDP loses packets."""

_URL = re.compile(
    r"(?P<scheme>stun|turn):(?P<host>\[[^\]]+\]|[^:?]+)(?::(?P<port>\d+))?(?:\?transport=(?P<over>\w+))?$"
)
_PORT = 3478


async def answering(servers: list[RTCIceServer], seconds: float = ANSWER_S) -> list[RTCIceServer]:
    """Returns the servers that answer, one URL each, in their order; those not on UDP cannot be asked and stay."""
    single = [
        RTCIceServer(url, server.username, server.credential)
        for server in servers
        for url in ([server.urls] if isinstance(server.urls, str) else server.urls)
    ]
    answers = await asyncio.gather(*(_answers(str(server.urls), seconds) for server in single))
    return [server for server, answer in zip(single, answers, strict=True) if answer]


async def _answers(url: str, seconds: float) -> bool:
    match = _URL.match(url)
    if match is None or (match["over"] or "udp") != "udp":
        return True
    address = (match["host"].strip("[]"), int(match["port"] or _PORT))
    try:
        async with asyncio.timeout(seconds):
            return await _ask(address)
    except (TimeoutError, OSError):
        return False


async def _ask(address: tuple[str, int]) -> bool:
    loop = asyncio.get_running_loop()
    question = _Question(loop.create_future())
    transport, _ = await loop.create_datagram_endpoint(lambda: question, remote_addr=address)
    try:
        while not question.answer.done():
            transport.sendto(question.packet)
            await asyncio.wait({question.answer}, timeout=ASK_EVERY_S)
        return question.answer.result()
    finally:
        transport.close()


class _Question(asyncio.DatagramProtocol):
    """One binding request."""

    def __init__(self, answer: asyncio.Future[bool]) -> None:
        self.answer = answer
        self._request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        self.packet = bytes(self._request)

    def datagram_received(self, data: bytes, addr: object) -> None:
        with contextlib.suppress(ValueError):  # no STUN
            message = stun.parse_message(data)
            if message.message_class is stun.Class.RESPONSE and message.transaction_id == self._request.transaction_id:
                self._settle(True)

    def error_received(self, exc: Exception) -> None:
        self._settle(False)  # nobody listens there

    def _settle(self, answered: bool) -> None:
        if not self.answer.done():
            self.answer.set_result(answered)
