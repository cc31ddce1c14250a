"""Simli's current signaling: a token by POST, ICE servers by GET, then offer, answer and speech over one WebSocket.

The key travels in a header only; neither it nor the session token is ever logged or part of an error's text.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

import aiohttp
from aiortc import RTCIceServer, RTCPeerConnection

from meetctl.protocol import Face

from ..masking import masked, secrets_of
from .refusal import FaceRefused, Fault, refusal_from_status
from .signaling import Answer, Ending, Notice, OnSaid, Said, Signaling, chunks, is_loopback, parse_message

TOKEN_S = 10.0
"""A token is one database look-up at Simli's side."""
ICE_S = 3.0
"""ICE servers are a help, not a condition: without an answer the default is used."""
CONNECT_S = 10.0
"""A WebSocket's handshake."""
ANSWER_S = 15.0
"""The answer needs a worker at Simli's side; its client may itself take 30 s to offer."""
START_S = 20.0
"""Simli loads the face before it starts; its own client waits for ever."""
CLOSE_S = 1.0
"""Saying goodbye to a server that is gone must not hold up the leaving of a room."""

DEFAULT_ICE = "stun:stun.l.google.com:19302"
"""What Simli's own clients fall back to."""

logger = logging.getLogger(__name__)
Value = TypeVar("Value")


class ComposeSignaling(Signaling):
    """One session over `/compose/…`; `on_said` hears when the face starts and stops speaking."""

    def __init__(self, face: Face, on_said: OnSaid) -> None:
        loop = asyncio.get_running_loop()
        self._face = face
        self._url = face.url.rstrip("/")
        self._secrets = secrets_of(face)
        self._on_said = on_said
        self._http = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._token = ""
        self._answer: asyncio.Future[str] = loop.create_future()
        self._started: asyncio.Future[None] = loop.create_future()
        self._ended: asyncio.Future[Ending | FaceRefused] = loop.create_future()

    async def ice_servers(self) -> list[RTCIceServer]:
        ice = asyncio.create_task(self._fetch_ice())
        try:
            self._token = await self._fetch_token()
            return await ice
        finally:
            ice.cancel()
            await asyncio.wait({ice})

    def prepare(self, connection: RTCPeerConnection) -> None:
        """Adds nothing: everything but media goes over the WebSocket."""

    async def negotiate(self, offer_sdp: str) -> str:
        where = f"{self._url}/compose/webrtc/p2p"
        query = {"session_token": self._token, "enableSFU": "True"}  # spelled as Simli's own client does
        try:
            async with asyncio.timeout(CONNECT_S):
                self._socket = await self._http.ws_connect(where, params=query)
        except TimeoutError:
            raise FaceRefused(Fault.TIMEOUT, f"{where} did not accept a WebSocket within {CONNECT_S:.0f} s") from None
        except aiohttp.WSServerHandshakeError as error:
            raise refusal_from_status(error.status, error.message, where, self._secrets) from None
        except aiohttp.ClientError as error:
            raise self._unreachable(where, error) from None
        self._reader = asyncio.create_task(self._read(self._socket), name="face-signaling")
        await self._send(self._socket.send_str(json.dumps({"sdp": offer_sdp, "type": "offer"})))
        return await self._expect(self._answer, "an SDP answer", ANSWER_S)

    async def wait_started(self) -> None:
        await self._expect(self._started, "START", START_S)
        await self.skip()  # as Simli's own client does after every start

    async def wait_ended(self) -> Ending | FaceRefused:
        return await asyncio.shield(self._ended)

    async def send_audio(self, pcm: bytes) -> None:
        if self._socket is not None:
            for chunk in chunks(pcm):
                await self._send(self._socket.send_bytes(chunk))

    async def skip(self) -> None:
        if self._socket is not None:
            await self._send(self._socket.send_str("SKIP"))

    async def close(self) -> None:
        # Each step is bounded by itself: a server that reads nothing must not keep the socket from being closed.
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(CLOSE_S):
                if self._socket is not None and not self._socket.closed:
                    await self._send(self._socket.send_str("SKIP"))  # DONE waits for what is queued
                    await self._send(self._socket.send_str("DONE"))
                    await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        _settle(self._ended, Ending("closed"))
        await self._http.close()

    async def _fetch_token(self) -> str:
        where = f"{self._url}/compose/token"
        body = {
            "faceId": self._face.face_id,
            "apiVersion": "v2",
            "handleSilence": True,
            "maxSessionLength": self._face.max_session_s,
            "maxIdleTime": self._face.max_idle_s,
            "audioInputFormat": "pcm16",
        }
        try:
            async with asyncio.timeout(TOKEN_S), self._http.post(where, json=body, headers=self._headers()) as response:
                text = await response.text()
                status = response.status
        except TimeoutError:
            raise FaceRefused(Fault.TIMEOUT, f"{where} did not answer within {TOKEN_S:.0f} s") from None
        except aiohttp.ClientError as error:
            raise self._unreachable(where, error) from None
        if status != 200:
            raise refusal_from_status(status, text, where, self._secrets)
        try:
            content = json.loads(text)
            token = content["session_token"]
        except (ValueError, TypeError, KeyError):
            raise FaceRefused(Fault.ENDPOINT, f"{where} answered without a session token") from None
        for warning in content.get("warnings", ()):
            logger.warning("Simli: %s", masked(str(warning), self._secrets))
        self._secrets |= {str(token)}
        return str(token)

    async def _fetch_ice(self) -> list[RTCIceServer]:
        if is_loopback(self._url):
            return []
        try:
            async with asyncio.timeout(ICE_S):
                async with self._http.get(f"{self._url}/compose/ice", headers=self._headers()) as response:
                    entries = await response.json(content_type=None) if response.status == 200 else None
            servers = [ice_server_from_entry(entry) for entry in entries or ()]
        except (TimeoutError, aiohttp.ClientError, ValueError, TypeError, KeyError, AttributeError):
            servers = []
        if not servers:
            logger.warning("%s/compose/ice gave no ICE server; using %s", self._url, DEFAULT_ICE)
        return servers or [RTCIceServer(DEFAULT_ICE)]

    def _headers(self) -> dict[str, str]:
        return {"x-simli-api-key": self._face.api_key.get_secret_value()}

    async def _expect(self, future: asyncio.Future[Value], what: str, seconds: float) -> Value:
        waits: set[asyncio.Future[Any]] = {future, self._ended}
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        if not self._ended.done():
            raise FaceRefused(Fault.TIMEOUT, f"{self._url} sent no {what} within {seconds:.0f} s")
        end = self._ended.result()
        if isinstance(end, FaceRefused):
            raise end
        raise FaceRefused(Fault.ENDED, f"{self._url} closed the session before {what} came ({end.reason})")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        except Exception as error:
            logger.exception("reading Simli's messages failed")
            _settle(self._ended, Ending(f"its messages could not be read: {type(error).__name__}"))
        _settle(self._ended, Ending(f"connection closed, code {socket.close_code}"))

    def _take(self, text: str) -> None:
        match parse_message(text, self._secrets):
            case Answer(sdp):
                _settle(self._answer, sdp)
            case Said.START:
                _settle(self._started, None)
            case Said() as said:
                self._on_said(said)
            case Ending() | FaceRefused() as end:
                _settle(self._ended, end)
            case Notice(notice):
                logger.info("Simli: %s", masked(notice, self._secrets)[:300])

    async def _send(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except (aiohttp.ClientError, ConnectionError) as error:
            _settle(self._ended, Ending(f"connection lost: {type(error).__name__}"))

    def _unreachable(self, where: str, error: Exception) -> FaceRefused:
        words = masked(str(error) or type(error).__name__, self._secrets)
        return FaceRefused(Fault.UNREACHABLE, f"{where} cannot be reached: {words}")


def ice_server_from_entry(entry: dict[str, Any]) -> RTCIceServer:
    """Returns one entry of `/compose/ice`; keys that aiortc does not know are left out."""
    urls = entry["urls"]
    return RTCIceServer(
        urls=urls if isinstance(urls, str) else [str(url) for url in urls],
        username=entry.get("username"),
        credential=entry.get("credential"),
    )


def _settle(future: asyncio.Future[Value], value: Value) -> None:
    if not future.done():
        future.set_result(value)
