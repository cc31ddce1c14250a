"""Simli's current signaling: a token by POST, ICE servers by GET, then offer, answer and speech over one WebSocket.

The key travels in a header only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable

import aiohttp
from aiortc import RTCIceServer, RTCPeerConnection

from meetctl.protocol import Face

from .base import OnSaid, SessionEnding, Signaling, chunks
from .exchange import Exchange
from .refusal import FaceFault, FaceRefused, refusal_from_status

TOKEN_S = 10.0
"""A token is one database look-up at Simli's side."""
CONNECT_S = 10.0
"""A WebSocket's handshake."""
ANSWER_S = 15.0
"""The answer needs a worker at Simli's side; its client may itself take 30 s to offer."""
START_S = 20.0
"""Simli loads the face before it starts; its own client waits for ever."""
CLOSE_S = 1.0
"""Saying goodbye to a server that is gone must not hold up the leaving of a room."""

logger = logging.getLogger(__name__)


def token_body(face: Face) -> dict[str, object]:
    """Returns what is asked for with a session token."""
    return {
        "faceId": face.face_id,
        "apiVersion": "v2",
        "handleSilence": True,
        "maxSessionLength": face.max_session_s,
        "maxIdleTime": face.max_idle_s,
        "audioInputFormat": "pcm16",
    }


class ComposeSignaling(Signaling):
    """One session over `/compose/…`; `on_said` hears when the face starts and stops speaking."""

    def __init__(self, face: Face, on_said: OnSaid) -> None:
        self._face = face
        self._talk = Exchange(face, on_said)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._token = ""

    async def ice_servers(self) -> list[RTCIceServer]:
        key = {"x-simli-api-key": self._face.api_key.get_secret_value()}
        ice = asyncio.create_task(self._talk.ice_servers("GET", "/compose/ice", headers=key))
        try:
            self._token = await self._talk.token("/compose/token", token_body(self._face), TOKEN_S, **key)
            return await ice
        finally:
            ice.cancel()
            await asyncio.wait({ice})

    def prepare(self, connection: RTCPeerConnection) -> None:
        """Adds nothing: everything but media goes over the WebSocket."""

    async def negotiate(self, offer_sdp: str) -> str:
        where = f"{self._talk.url}/compose/webrtc/p2p"
        query = {"session_token": self._token, "enableSFU": "True"}  # spelled as Simli's own client does
        try:
            async with asyncio.timeout(CONNECT_S):
                self._socket = await self._talk.http.ws_connect(where, params=query)
        except TimeoutError:
            raise FaceRefused(
                FaceFault.TIMEOUT, f"{where} did not accept a WebSocket within {CONNECT_S:.0f} s"
            ) from None
        except aiohttp.WSServerHandshakeError as error:
            raise refusal_from_status(error.status, error.message, where, self._talk.mask) from None
        except aiohttp.ClientError as error:
            raise self._talk.unreachable(where, error) from None
        self._reader = asyncio.create_task(self._read(self._socket), name="face-signaling")
        await self._send(self._socket.send_str(json.dumps({"sdp": offer_sdp, "type": "offer"})))
        return await self._talk.expect(self._talk.answer, "an SDP answer", ANSWER_S)

    async def wait_started(self) -> None:
        await self._talk.expect(self._talk.started, "START", START_S)
        await self.skip()  # as Simli's own client does after every start

    async def wait_ended(self) -> SessionEnding | FaceRefused:
        return await asyncio.shield(self._talk.ended)

    async def send_audio(self, pcm: bytes) -> None:
        if self._socket is not None:
            for chunk in chunks(pcm):
                await self._send(self._socket.send_bytes(chunk))

    async def skip(self) -> None:
        if self._socket is not None:
            await self._send(self._socket.send_str("SKIP"))

    async def close(self) -> None:
        socket, self._socket = self._socket, None
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(CLOSE_S):
                if socket is not None and not socket.closed:
                    await self._send(socket.send_str("SKIP"))  # DONE alone waits for what is queued
                    await self._send(socket.send_str("DONE"))
                    await socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        self._talk.end(SessionEnding("closed"))
        await self._talk.http.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._talk.take(message.data)
        except Exception as error:
            logger.exception("reading Simli's messages failed")
            self._talk.end(SessionEnding(f"its messages could not be read: {type(error).__name__}"))
        self._talk.end(SessionEnding(f"connection closed, code {socket.close_code}"))

    async def _send(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except (aiohttp.ClientError, ConnectionError) as error:
            self._talk.end(SessionEnding(f"connection lost: {type(error).__name__}"))
