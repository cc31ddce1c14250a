"""The WebRTC side of a session: an aiortc peer that answers an offer and sends sound and picture from one clock.

It only sends: media that a client offers (dummy tracks of older clients) is declined in the answer, so nothing has to
be drained.
"""

from __future__ import annotations

import asyncio
import fractions
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import aioice.ice
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, codecs
from aiortc.codecs import h264, vpx
from aiortc.mediastreams import MediaStreamError
from av.video.frame import PictureType

from meetctl.local.simli.media.audio48 import Upsampler
from meetctl.local.simli.media.encoder import DrawnVp8Encoder, frame_from_rgba
from meetctl.local.simli.media.pictures import Pictures
from meetctl.local.simli.sessions.playout import CHUNK_SECONDS
from meetctl.local.simli.sessions.session import SimliSession

VIDEO_BITRATE = 2_500_000
"""Clean at 512x512 from the first second (aiortc begins at 0.5 Mbps); a drawn face uses about a third of it."""
AUDIO_CLOCK = 48_000
VIDEO_CLOCK = 90_000

_CLOSE_SECONDS = 3.0
"""Closing says goodbye over DTLS; a dead client does not answer."""


def prepare_process() -> None:
    """Sets what aiortc and aioice only offer as module constants; call it before the first peer.

    The encoders start at, and stay at, one bitrate: both ends share a machine, and a change of more than a tenth makes
    aiortc build a new encoder. VP8 is set for drawings. Loopback becomes an ICE candidate, so that a machine without
    network can be used.
    """
    for codec in (vpx, h264):
        for name in ("DEFAULT_BITRATE", "MIN_BITRATE", "MAX_BITRATE"):
            setattr(codec, name, VIDEO_BITRATE)
    setattr(codecs, "Vp8Encoder", DrawnVp8Encoder)  # noqa: B010 - mypy forbids the assignment to a class
    original = aioice.ice.get_host_addresses

    def with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        addresses = original(use_ipv4, use_ipv6)
        return ["127.0.0.1", *addresses] if use_ipv4 and "127.0.0.1" not in addresses else addresses

    aioice.ice.get_host_addresses = with_loopback


class SpeechTrack(MediaStreamTrack):
    """The session's sound: 48 kHz stereo in frames of 20 ms."""

    kind = "audio"

    def __init__(self, session: asyncio.Future[SimliSession]) -> None:
        super().__init__()
        self._session = session
        self._upsample = Upsampler()
        self._index = 0

    async def recv(self) -> av.AudioFrame:
        """Returns the frame that is due, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        session = await asyncio.shield(self._session)
        await session.clock.wait_until(self._index * CHUNK_SECONDS)
        samples = self._upsample(session.next_audio())
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2)[np.newaxis], format="s16", layout="stereo")
        frame.sample_rate = AUDIO_CLOCK
        frame.time_base = fractions.Fraction(1, AUDIO_CLOCK)
        frame.pts = self._index * len(samples)
        self._index += 1
        return frame


class PictureTrack(MediaStreamTrack):
    """The session's face. A picture that cannot be drawn in time is left out."""

    kind = "video"

    def __init__(self, session: asyncio.Future[SimliSession], painters: ThreadPoolExecutor) -> None:
        super().__init__()
        self._session = session
        self._pictures = Pictures(painters, frame_from_rgba)
        self._last: float | None = None

    async def recv(self) -> av.VideoFrame:
        """Returns the newest frame that is due, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        session = await asyncio.shield(self._session)
        due = self._last = session.pace.next(self._last, session.clock.now)
        await session.clock.wait_until(due)
        frame = await self._pictures.at(session, due)
        frame.pict_type = PictureType.NONE  # aiortc's encoders mark the frame from which a whole picture is asked
        frame.pts = round(due * VIDEO_CLOCK)
        frame.time_base = fractions.Fraction(1, VIDEO_CLOCK)
        return frame


class Peer:
    """A peer connection that sends one session's media from `begin` on; closed when the block ends."""

    def __init__(self, painters: ThreadPoolExecutor, *, video: bool = True) -> None:
        self.connected = asyncio.Event()
        self.closed = asyncio.Event()
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._session: asyncio.Future[SimliSession] = asyncio.get_running_loop().create_future()
        self._answering: asyncio.Task[str] | None = None
        self._tracks: dict[str, MediaStreamTrack] = {"audio": SpeechTrack(self._session)}
        self._tracks["video"] = PictureTrack(self._session, painters) if video else _NoPicture()
        self.connection.on("connectionstatechange", self._changed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for track in self._tracks.values():
            track.stop()
        self._session.cancel()
        if self._answering is not None:
            await asyncio.wait({self._answering}, timeout=_CLOSE_SECONDS)
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.connection.close()
        except TimeoutError:
            return

    def begin(self, session: SimliSession) -> None:
        """Sends this session's media as soon as the connection stands."""
        self._session.set_result(session)

    async def answer(self, sdp: str, codec: str | None = None) -> str:
        """Returns the answer's SDP, with all candidates.

        It is made to its end though the caller is cancelled: aiortc would leave the sockets of half a step open.

        Raises:
            ValueError: the offer is not SDP, or does not ask for both audio and video.
        """
        self._answering = asyncio.create_task(self._answer(sdp, codec), name="simli-answer")
        return await asyncio.shield(self._answering)

    async def _answer(self, sdp: str, codec: str | None) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=_without_empty_end(sdp), type="offer"))
        offered = {transceiver.kind: transceiver for transceiver in self.connection.getTransceivers()}
        missing = {"audio", "video"} - set(offered)
        if missing:
            raise ValueError(f"the offer has no {' and no '.join(sorted(missing))}")
        for kind, track in self._tracks.items():
            self.connection.addTrack(track)
            offered[kind].direction = "sendonly"
        if codec is not None:
            wanted = [
                entry
                for entry in RTCRtpSender.getCapabilities("video").codecs
                if entry.mimeType.lower() in (f"video/{codec.lower()}", "video/rtx")
            ]
            offered["video"].setCodecPreferences(wanted)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return str(self.connection.localDescription.sdp)

    def _changed(self) -> None:
        state: Any = self.connection.connectionState
        if state == "connected":
            self.connected.set()
        elif state in ("closed", "failed"):
            self.closed.set()


class _NoPicture(MediaStreamTrack):
    """A track that never has a frame."""

    kind = "video"

    async def recv(self) -> av.VideoFrame:
        """Waits for ever."""
        await asyncio.Event().wait()
        raise MediaStreamError


def _without_empty_end(sdp: str) -> str:
    """Returns the offer without `a=end-of-candidates` where it names none: aioice would give up at once."""
    if "a=candidate:" in sdp:
        return sdp
    return "".join(line for line in sdp.splitlines(keepends=True) if not line.startswith("a=end-of-candidates"))
