"""The media connection of one Simli session: aiortc, receiving one audio and one video track.

Both tracks are drained from the start and frames handed on the moment they are decoded: nothing is kept that could
delay or pile up. It measures what arrives. It knows nothing of LiveKit and nothing of how offer and answer travel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import av
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.stats import RTCInboundRtpStreamStats, RTCTransportStats

from meetctl.protocol import IceState

from ...room.meters import Snapshot
from . import aiortc_patch as aiortc_seams
from .offset import OffsetMeter

CLOSE_S = 2.0
"""Closing sends one packet for each transport and joins the decoder threads, which finish a frame first."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrivals:
    """What has come so far."""

    pictures: int = 0
    sounds: int = 0
    last_picture: float | None = None
    """Monotonic seconds."""
    last_sound: float | None = None
    width: int | None = None
    height: int | None = None


class FacePeer:
    """One peer connection. An async context manager; `failed` ends the session when a listener or a track fails."""

    def __init__(
        self,
        ice_servers: list[RTCIceServer],
        on_picture: Callable[[av.VideoFrame], None],
        on_sound: Callable[[av.AudioFrame], None],
    ) -> None:
        aiortc_seams.install()
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=ice_servers))
        self.arrivals = Arrivals()
        self.offset = OffsetMeter()
        self._on_picture = on_picture
        self._on_sound = on_sound
        self._drains: list[asyncio.Task[None]] = []
        self._negotiating: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.connection.on("track", self._drain)
        self.connection.addTransceiver("audio", direction="recvonly")
        self.connection.addTransceiver("video", direction="recvonly")

    @property
    def ice(self) -> IceState:
        return IceState(self.connection.iceConnectionState)

    async def __aenter__(self) -> FacePeer:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._negotiating is not None:
            await asyncio.wait({self._negotiating}, timeout=CLOSE_S)
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.connection.close()
        except Exception:
            logger.warning("the face's connection did not close cleanly", exc_info=True)
        for drain in self._drains:
            drain.cancel()
        if self._drains:
            await asyncio.wait(self._drains)

    async def offer(self) -> str:
        """Returns the SDP offer, candidates included."""
        offer = await self.connection.createOffer()
        await self._negotiate(self.connection.setLocalDescription(offer))
        return self.connection.localDescription.sdp

    async def accept(self, answer_sdp: str) -> None:
        """Takes the SDP answer and begins to connect."""
        await self._negotiate(self.connection.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer")))

    async def wait_failed(self) -> Exception:
        """Returns the exception of whatever handled a frame, or the end of a track, once there is one."""
        return await asyncio.shield(self._failed)

    async def snapshot(self) -> Snapshot:
        """Returns the counters of this leg, from its own statistics."""
        stats = (await self.connection.getStats()).values()
        inbound = [each for each in stats if isinstance(each, RTCInboundRtpStreamStats)]
        transports = [each for each in stats if isinstance(each, RTCTransportStats)]
        audio = [each for each in inbound if each.kind == "audio"]
        return Snapshot(
            at=time.monotonic(),
            ice=self.ice,
            video_frames=self.arrivals.pictures,
            audio_packets=sum(each.packetsReceived for each in audio),
            octets=sum(each.bytesReceived for each in transports),
            packets=sum(each.packetsReceived + each.packetsLost for each in inbound),
            packets_lost=sum(each.packetsLost for each in inbound),
            width=self.arrivals.width,
            height=self.arrivals.height,
        )

    async def _negotiate(self, step: Coroutine[None, None, None]) -> None:
        """Takes a step to its end though its caller is cancelled: of half a step aiortc leaves sockets open."""
        self._negotiating = asyncio.create_task(step, name="face-negotiation")
        await asyncio.shield(self._negotiating)

    def _drain(self, track: MediaStreamTrack) -> None:
        receiver = next(each for each in self.connection.getReceivers() if each.track is track)
        clock = aiortc_seams.SenderClock(receiver)
        work = self._take_pictures(track, clock) if track.kind == "video" else self._take_sounds(track, clock)
        self._drains.append(asyncio.create_task(self._watched(work), name=f"face-{track.kind}"))

    async def _watched(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:
            if not self._failed.done():
                self._failed.set_result(error)

    async def _take_pictures(self, track: MediaStreamTrack, clock: aiortc_seams.SenderClock) -> None:
        arrivals = self.arrivals
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.VideoFrame)
            arrivals.pictures += 1
            arrivals.last_picture = time.monotonic()
            self.offset.arrived("video", clock.left_at(frame), arrivals.last_picture)
            arrivals.width, arrivals.height = frame.width, frame.height
            self._on_picture(frame)

    async def _take_sounds(self, track: MediaStreamTrack, clock: aiortc_seams.SenderClock) -> None:
        arrivals = self.arrivals
        while True:
            frame = await track.recv()
            assert isinstance(frame, av.AudioFrame)
            arrivals.sounds += 1
            arrivals.last_sound = time.monotonic()
            self.offset.arrived("audio", clock.left_at(frame), arrivals.last_sound)
            self._on_sound(frame)
