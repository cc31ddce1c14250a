"""The first generation, with a client of the shape people have: two POSTs, dummy tracks, token by data channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError

from testing.simli.clients import WAIT_SECONDS, Watcher, all_sessions_closed, see_and_hear_the_face

SPEECH_BYTES = 6_000


@dataclass
class OldClient:
    """What such a program does, against any base URL."""

    url: str
    dummies: bool
    order: tuple[str, str] = ("audio", "video")
    seen: Watcher = field(default_factory=Watcher)
    words: list[str] = field(default_factory=list)
    channel: Any = None
    channel_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, connection: RTCPeerConnection, tasks: set[asyncio.Task[None]]) -> None:
        async with aiohttp.ClientSession(self.url) as http:
            request = {"faceId": "ada", "apiKey": "any-key", "isJPG": False, "syncAudio": True}
            async with http.post("/startAudioToVideoSession", json=request) as response:
                assert response.status == 200
                token = (await response.json())["session_token"]
            self.channel = connection.createDataChannel("chat", ordered=True)
            self.channel.on("open", lambda: self._opened(token))
            self.channel.on("message", self.words.append)
            connection.on("track", lambda track: tasks.add(asyncio.create_task(self._watch(track))))
            for kind in self.order:
                if self.dummies:
                    connection.addTrack(AudioStreamTrack() if kind == "audio" else VideoStreamTrack())
                else:
                    connection.addTransceiver(kind, direction="recvonly")
            await connection.setLocalDescription(await connection.createOffer())
            offer = connection.localDescription
            async with http.post(
                "/startWebRTCSession", json={"sdp": offer.sdp, "type": offer.type, "video_transform": "none"}
            ) as response:
                assert response.status == 200
                answer = await response.json()
            await connection.setRemoteDescription(RTCSessionDescription(**answer))

    async def send(self, pcm: bytes) -> None:
        await asyncio.wait_for(self.channel_open.wait(), WAIT_SECONDS)
        for start in range(0, len(pcm), SPEECH_BYTES):
            self.channel.send(pcm[start : start + SPEECH_BYTES])

    async def skip(self) -> None:
        self.channel.send("SKIP")

    def _opened(self, token: str) -> None:
        self.channel.send(token)
        self.channel.send(bytes(16_000))  # such clients do not wait for START
        self.channel.send("ping 1234")
        self.channel_open.set()

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame: Any = await track.recv()
                if track.kind == "video":
                    await self.seen.add(self.seen.frames, frame.to_ndarray(format="rgb24"))
                else:
                    await self.seen.add(self.seen.sound, frame.to_ndarray().reshape(-1)[::2])
        except MediaStreamError:
            return


@asynccontextmanager
async def running(client: OldClient) -> AsyncIterator[OldClient]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    tasks: set[asyncio.Task[None]] = set()
    try:
        await client.start(connection, tasks)
        yield client
    finally:
        await connection.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    ("dummies", "order"), [(False, ("audio", "video")), (True, ("video", "audio"))], ids=["recvonly", "dummy-tracks"]
)
async def test_an_old_client_sees_the_face_hears_its_speech_and_silences_it(
    simli_server: str, dummies: bool, order: tuple[str, str]
) -> None:
    async with running(OldClient(simli_server, dummies, order)) as client:
        await see_and_hear_the_face(client.seen, client.send, client.skip)
        assert client.words[0] == "START"
        assert {"pong 1234", "ACK", "SPEAK", "SILENT"} <= set(client.words)
    await all_sessions_closed(simli_server)


async def test_an_offer_without_video_is_refused_in_words(simli_server: str) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    try:
        async with (
            aiohttp.ClientSession(simli_server) as http,
            http.post(
                "/StartWebRTCSession", json={"sdp": connection.localDescription.sdp, "type": "offer"}
            ) as response,
        ):
            assert response.status == 500
            assert "video" in await response.text()
    finally:
        await connection.close()
