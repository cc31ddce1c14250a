"""Simli's first signaling: token and offer by POST; the token again, speech and control over a data channel of ours.

The key travels in the body, as that protocol wants it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiortc import InvalidStateError, RTCDataChannel, RTCIceServer, RTCPeerConnection

from meetctl.protocol import Face

from .base import CHUNK_BYTES, OnSaid, SessionEnding, Signaling, chunks
from .compose import ANSWER_S, START_S, TOKEN_S
from .exchange import Exchange, settle
from .refusal import FaceFault, FaceRefused

CHANNEL = "datachannel"
"""The label that Simli's documentation uses."""
OPEN_S = 15.0
"""ICE, DTLS and SCTP, one after the other."""
PING_S = 1.0
"""As often as Simli's own client of that time."""


class LegacySignaling(Signaling):
    """One session over `/startAudioToVideoSession` and `/StartWebRTCSession`."""

    def __init__(self, face: Face, on_said: OnSaid) -> None:
        self._face = face
        self._talk = Exchange(face, on_said)
        self._channel: RTCDataChannel | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pinging: asyncio.Task[None] | None = None
        self._token = ""

    async def ice_servers(self) -> list[RTCIceServer]:
        key = self._face.api_key.get_secret_value()
        body: dict[str, object] = {
            "faceId": self._face.face_id,
            "apiKey": key,
            "isJPG": False,
            "syncAudio": True,
            "handleSilence": True,
            "maxSessionLength": self._face.max_session_s,
            "maxIdleTime": self._face.max_idle_s,
        }
        ice = asyncio.create_task(self._talk.ice_servers("POST", "/getIceServers", json={"apiKey": key}))
        try:
            self._token = await self._talk.token("/startAudioToVideoSession", body, TOKEN_S)
            return await ice
        finally:
            ice.cancel()
            await asyncio.wait({ice})

    def prepare(self, connection: RTCPeerConnection) -> None:
        """Adds the data channel, which has to be in the offer."""
        channel = self._channel = connection.createDataChannel(CHANNEL, ordered=True)
        channel.on("open", lambda: settle(self._opened, None))
        channel.on("close", lambda: self._talk.end(SessionEnding("connection closed")))
        channel.on("message", self._take)

    async def negotiate(self, offer_sdp: str) -> str:
        offer: dict[str, object] = {"sdp": offer_sdp, "type": "offer", "video_transform": "none"}
        answer = await self._talk.post("/StartWebRTCSession", offer, ANSWER_S)
        sdp = answer.get("sdp")
        if not isinstance(sdp, str):
            raise FaceRefused(FaceFault.ENDPOINT, f"{self._talk.url}/StartWebRTCSession answered without an SDP")
        return sdp

    async def wait_started(self) -> None:
        await self._talk.expect(self._opened, "media connection", OPEN_S)
        self._send(self._token)
        self._send(bytes(CHUNK_BYTES))  # the first sound is what starts the picture there
        self._pinging = asyncio.create_task(self._ping(), name="face-ping")
        await self._talk.expect(self._talk.started, "START", START_S)

    async def wait_ended(self) -> SessionEnding | FaceRefused:
        return await asyncio.shield(self._talk.ended)

    async def send_audio(self, pcm: bytes) -> None:
        for chunk in chunks(pcm):
            self._send(chunk)

    async def skip(self) -> None:
        self._send("SKIP")

    async def close(self) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
            await asyncio.wait({self._pinging})
        if not self._talk.ended.done():
            self._send("SKIP")
            self._send("DONE")
            self._talk.end(SessionEnding("closed"))
            await asyncio.sleep(0)  # lets SCTP send it; that protocol has no goodbye to wait for
        await self._talk.http.close()

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._talk.take(message)

    def _send(self, message: str | bytes) -> None:
        if self._channel is not None and self._channel.readyState == "open":
            with contextlib.suppress(InvalidStateError, ConnectionError):
                self._channel.send(message)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            self._send(f"ping {time.time() * 1000:.0f}")
