"""What both of Simli's protocols share: HTTP requests with their refusals, and the server's messages as they come in.

Keys and session tokens are masked in everything that leaves here as text.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, TypeVar

import aiohttp
from aiortc import RTCIceServer

from meetctl.protocol import Face
from meetctl.protocol.proxies import is_loopback

from ...process.masking import masker_of
from .base import FaceSignal, Notice, OnSaid, SdpAnswer, SessionEnding, parse_message
from .refusal import FaceFault, FaceRefused, json_from_text, refusal_from_status

ICE_S = 3.0
"""ICE servers are a help, not a condition: without an answer the default is used."""
DEFAULT_ICE = "stun:stun.l.google.com:19302"
"""What Simli's own clients fall back to."""
PONG = "pong"
"""Once a second, where pings are sent: nothing to tell."""
NOTICE_SHOWN = 300
"""Characters of a notice that are logged."""

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


class Exchange:
    """One session's requests and messages."""

    def __init__(self, face: Face, on_said: OnSaid) -> None:
        loop = asyncio.get_running_loop()
        self.url = face.url.rstrip("/")
        self.http = aiohttp.ClientSession(trust_env=not is_loopback(self.url))
        self.mask = masker_of(face)
        self.answer: asyncio.Future[str] = loop.create_future()
        self.started: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[SessionEnding | FaceRefused] = loop.create_future()
        self._on_said = on_said

    async def post(self, path: str, body: dict[str, object], seconds: float, **headers: str) -> dict[str, Any]:
        """Returns the JSON object that a POST answers.

        Raises:
            FaceRefused: in the server's words.
        """
        where = f"{self.url}{path}"
        try:
            async with asyncio.timeout(seconds), self.http.post(where, json=body, headers=headers) as response:
                text, status = (await response.read()).decode(errors="replace"), response.status
        except TimeoutError:
            raise FaceRefused(FaceFault.TIMEOUT, f"{where} did not answer within {seconds:.0f} s") from None
        except aiohttp.ClientError as error:
            raise self.unreachable(where, error) from None
        if status != 200:
            raise refusal_from_status(status, text, where, self.mask)
        content = json_from_text(text)
        if not isinstance(content, dict):
            raise FaceRefused(FaceFault.ENDPOINT, f"{where} answered with something that is no JSON object")
        return content

    async def token(self, path: str, body: dict[str, object], seconds: float, **headers: str) -> str:
        """Returns a new session token.

        Raises:
            FaceRefused: in the server's words.
        """
        content = await self.post(path, body, seconds, **headers)
        token = content.get("session_token")
        if not isinstance(token, str) or not token:
            raise FaceRefused(FaceFault.ENDPOINT, f"{self.url}{path} answered without a session token")
        self.mask.add(token)
        if warnings := content.get("warnings"):
            logger.warning("Simli: %s", self.mask(str(warnings))[:NOTICE_SHOWN])
        return token

    async def ice_servers(self, method: str, path: str, **request: Any) -> list[RTCIceServer]:
        """Returns the ICE servers that the server names, else the default; none for a server on this machine."""
        if is_loopback(self.url):
            return []
        try:
            async with asyncio.timeout(ICE_S):
                async with self.http.request(method, f"{self.url}{path}", **request) as response:
                    content = await response.read() if response.status == 200 else b""
            entries = json_from_text(content.decode(errors="replace"))
            servers = [ice_server_from_entry(entry) for entry in entries]
        except (TimeoutError, aiohttp.ClientError, ValueError, TypeError, KeyError, AttributeError):
            servers = []
        if not servers:
            logger.warning("%s%s gave no ICE server; using %s", self.url, path, DEFAULT_ICE)
        return servers or [RTCIceServer(DEFAULT_ICE)]

    async def expect(self, future: asyncio.Future[Value], what: str, seconds: float) -> Value:
        """Returns what the future gives.

        Raises:
            FaceRefused: when the session ends before, or nothing comes.
        """
        waits: set[asyncio.Future[Any]] = {future, self.ended}
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        if not self.ended.done():
            raise FaceRefused(FaceFault.TIMEOUT, f"{self.url} sent no {what} within {seconds:.0f} s")
        end = self.ended.result()
        if isinstance(end, FaceRefused):
            raise end
        raise FaceRefused(FaceFault.ENDED, f"{self.url} closed the session before {what} came ({end.reason})")

    def take(self, text: str) -> None:
        """Takes one message of the server."""
        match parse_message(text, self.mask):
            case SdpAnswer(sdp):
                settle(self.answer, sdp)
            case FaceSignal.START:
                settle(self.started, None)
            case FaceSignal() as said:
                self._on_said(said)
            case SessionEnding() | FaceRefused() as end:
                self.end(end)
            case Notice(notice) if not notice.startswith(PONG):
                logger.info("Simli: %s", self.mask(notice)[:NOTICE_SHOWN])

    def end(self, end: SessionEnding | FaceRefused) -> None:
        """The session is over; the first reason stays."""
        settle(self.ended, end)

    def unreachable(self, where: str, error: Exception) -> FaceRefused:
        """Returns the refusal of a server that was not reached at all."""
        words = self.mask(str(error) or type(error).__name__)
        return FaceRefused(FaceFault.UNREACHABLE, f"{where} cannot be reached: {words}")


def ice_server_from_entry(entry: dict[str, Any]) -> RTCIceServer:
    """Returns one entry of the server's list; keys that aiortc does not know are left out."""
    urls = entry["urls"]
    return RTCIceServer(
        urls=urls if isinstance(urls, str) else [str(url) for url in urls],
        username=entry.get("username"),
        credential=entry.get("credential"),
    )


def settle(future: asyncio.Future[Value], value: Value) -> None:
    """Resolves a future that may have been resolved already."""
    if not future.done():
        future.set_result(value)
