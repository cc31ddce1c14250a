"""The picture's last step for faces of any size: our own VP8, which LiveKit passes on as it is, to the exact pixel.

LiveKit's raw pictures lose what is beyond a multiple of four; encoded ones are not touched. The price is that what its
encoder does by itself is ours here: key frames when somebody asks for one, and a rate that the network bears.
"""

from __future__ import annotations

import asyncio
import fractions
import time

import av
from av.video.frame import PictureType
from livekit import rtc

from .frames import frame_from_i420
from .room_video import MAX_BITRATE, MAX_FPS, STILL_FPS, Draw, Publication, Scene, publish_face

MIN_BITRATE = 100_000
"""Bits a second; below it nothing is worth looking at, and a target may be next to nothing for a moment."""
LOWER_PART, RAISE_FACTOR = 0.9, 1.3
"""The encoder's rate cannot be changed without a key frame: it follows the network's only where that is worth one."""
CLOCK = fractions.Fraction(1, 1_000_000)
GOP_FRAMES = 3000
"""Key frames come when they are asked for; this is a net beneath that."""
POLL_S = 1 / STILL_FPS
"""How often a stopped face looks for requests of key frames; a running one does with every frame."""
REALTIME = {
    "deadline": "realtime",
    "cpu-used": "-6",  # what WebRTC's own encoder does on a desktop
    "lag-in-frames": "0",
    "error-resilient": "1",
    "qmin": "2",
    "qmax": "56",
    "drop-threshold": "30",  # percent of its buffer; a network that bears little gets fewer frames, not late ones
    "max-intra-rate": "450",  # percent of a frame's share; larger key frames hold up what follows when a track begins
}


class Vp8Encoder:
    """Encodes pictures of one size after the other; a new size or rate begins with a key frame. Not thread-safe."""

    def __init__(self) -> None:
        self.bitrate = MAX_BITRATE
        """Bits a second; change it at any time."""
        self._context: av.VideoCodecContext | None = None

    def encode(self, frame: av.VideoFrame, at: int, key: bool) -> bytes:
        """Returns the frame as one VP8 frame, empty if the encoder left it out; blocks for milliseconds.

        Args:
            frame: its own time and type are overwritten.
            at: when it is seen, in microseconds; more from frame to frame. What a frame may weigh depends on it.
            key: whether it must be a key frame.
        """
        context = self._context
        if context is None or (context.width, context.height, context.bit_rate) != (
            frame.width,
            frame.height,
            self.bitrate,
        ):
            context = self._context = self._open(frame.width, frame.height)
        frame.pts, frame.time_base = at, CLOCK
        # The decoder's type is still on it, and would be a request.
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return b"".join(bytes(packet) for packet in context.encode(frame))

    def _open(self, width: int, height: int) -> av.VideoCodecContext:
        context = av.CodecContext.create("libvpx", "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = CLOCK, fractions.Fraction(int(MAX_FPS))
        context.bit_rate, context.gop_size, context.thread_count = self.bitrate, GOP_FRAMES, 1
        rate = str(self.bitrate)
        context.options = {**REALTIME, "minrate": rate, "maxrate": rate, "bufsize": rate}  # all equal = constant
        context.open()
        return context


class EncodedVideo:
    """Publishes frames at their own size, whatever it is, encoded here, in a thread."""

    def __init__(self, draw: Draw, size: tuple[int, int]) -> None:
        self._source = rtc.EncodedVideoSource(*size)
        self._encoder = Vp8Encoder()
        self._scene = Scene(draw, size)
        self._next: av.VideoFrame | None = None
        self._came = asyncio.Event()
        self._publication: Publication | None = None
        self._key_due = True

    async def publish(self, room: rtc.Room) -> None:
        track = rtc.LocalVideoTrack.create_video_track("face", self._source)
        self._publication = await publish_face(room, track, encoded=True)

    async def wait_subscribed(self) -> None:
        """Returns once somebody in the room takes the track."""
        assert self._publication is not None
        await self._publication.wait_subscribed()

    async def run(self) -> None:
        while True:
            self._take_feedback()
            frame, self._next = self._next, None
            self._came.clear()
            if frame is None and self._scene.is_empty:
                frame = frame_from_i420(await self._scene.still())
            if frame is not None:
                await self._send(frame)
            if self._next is None:
                await self._wait_came()

    def show(self, frame: av.VideoFrame) -> None:
        if self._scene.takes(frame):
            self._scene.size = (frame.width, frame.height)
            self._next = frame  # one that the encoder did not get to is left out
            self._came.set()

    def renew(self) -> None:
        self._scene.renew()

    def clear(self) -> None:
        self._scene.clear()
        self._next = None

    def _take_feedback(self) -> None:
        feedback = self._source.take_feedback()
        self._key_due = self._key_due or feedback.keyframe_requested
        if feedback.rate_control is not None:
            self._encoder.bitrate = fitting_bitrate(self._encoder.bitrate, feedback.rate_control.target_bitrate_bps)

    async def _send(self, frame: av.VideoFrame) -> None:
        now = time.monotonic_ns() // 1000
        data = await asyncio.to_thread(self._encoder.encode, frame, now, self._key_due)
        if not data:
            return
        is_key = not data[0] & 1  # https://www.rfc-editor.org/rfc/rfc6386#section-9.1
        self._key_due = self._key_due and not is_key
        kind = rtc.EncodedFrameType.ENCODED_FRAME_KEY if is_key else rtc.EncodedFrameType.ENCODED_FRAME_DELTA
        unit = rtc.EncodedVideoFrame(data, frame.width, frame.height, rtc.VideoCodec.VP8, kind, now)
        if not self._source.capture_frame(unit):
            self._key_due = True  # what comes next would refer to a picture that nobody has

    async def _wait_came(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._came.wait()
        except TimeoutError:
            pass


def fitting_bitrate(bitrate: int, target: int) -> int:
    """Returns the rate to encode at: the target within our bounds, or the rate there is if that is near enough."""
    bounded = min(max(target, MIN_BITRATE), MAX_BITRATE)
    near = LOWER_PART * bitrate < bounded < RAISE_FACTOR * bitrate
    return bitrate if near else bounded
