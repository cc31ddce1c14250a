"""The picture's last step: one video track in the room that always shows something, the face or a still placeholder.

The placeholder is captured again and again, from publication until the first frame of the face and whenever none came
for a second: a track that was published and not fed shows green or black, and a single still frame is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import av
from livekit import rtc

from ..frames import I420, I420Packer
from .pace import Punctuality
from .room_audio import STREAM

SIZE = 512
"""Pixels of the placeholder's sides until the face's own size is known; that of most faces."""
STILL_FPS = 10
"""Of the placeholder: a newcomer sees it within 0.1 s."""
STALE_S = 1.0
"""Without a frame for so long the face has stopped."""
MAX_BITRATE = 3_000_000
"""Bits a second at 512x512; below 1.5 Mbit the first second is visibly soft, without any it begins at 256x256."""
GRAIN = 4
"""Pixels. LiveKit's source cuts width and height down to a multiple of it: the rest is filled up instead, not lost."""
MAX_FPS = 30.0
"""Simli sends 25 or 30."""

Draw = Callable[[int, int], I420]
"""Draws the placeholder at (width, height)."""


class VideoStep(Protocol):
    """How the face's frames reach the room. Here they are decoded and encoded again; a relay would pass them on."""

    async def publish(self, room: rtc.Room) -> None:
        """Puts the track into the room, with the placeholder in it."""

    async def run(self) -> None:
        """Keeps the placeholder up where there is no face, until cancelled."""

    def show(self, frame: av.VideoFrame) -> None:
        """Shows a frame of the face, now or, if it is late, not at all."""

    def renew(self) -> None:
        """What comes from now on is another session's."""

    def clear(self) -> None:
        """The face is gone: back to the placeholder."""


class DecodedVideo:
    """Publishes decoded frames as VP8, one layer, at their own size (filled up to a multiple of four)."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._source = rtc.VideoSource(SIZE, SIZE)
        self._packer = I420Packer(GRAIN)
        self._still: I420 | None = None
        self._size = (SIZE, SIZE)
        self._punctuality = Punctuality()
        self._shown_at: float | None = None
        self.late = 0
        """Frames that came too late to be shown."""

    async def publish(self, room: rtc.Room) -> None:
        still = await self._still_of_size()
        self._capture(still)
        track = rtc.LocalVideoTrack.create_video_track("face", self._source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_CAMERA,
            video_codec=rtc.VideoCodec.VP8,
            simulcast=False,
            stream=STREAM,
            degradation_preference=rtc.DegradationPreference.MAINTAIN_RESOLUTION,  # type: ignore[arg-type]
            video_encoding=rtc.VideoEncoding(max_bitrate=MAX_BITRATE, max_framerate=MAX_FPS),
        )
        await room.local_participant.publish_track(track, options)
        self._capture(still)

    async def run(self) -> None:
        while True:
            if self._shown_at is None or time.monotonic() - self._shown_at > STALE_S:
                self._capture(await self._still_of_size())
            await asyncio.sleep(1 / STILL_FPS)

    def show(self, frame: av.VideoFrame) -> None:
        now = time.monotonic()
        if frame.time is not None and self._punctuality.is_late(frame.time, now):
            self.late += 1
            return
        self._shown_at = now
        picture = self._packer.pack(frame)
        self._size = (picture.width, picture.height)
        self._capture(picture)

    def renew(self) -> None:
        self._punctuality = Punctuality()

    def clear(self) -> None:
        self._shown_at = None
        self._punctuality = Punctuality()

    async def _still_of_size(self) -> I420:
        # In the face's last size, so that a newcomer's tile does not jump when the face returns.
        still = self._still
        if still is None or (still.width, still.height) != self._size:
            still = self._still = await asyncio.to_thread(self._draw, *self._size)
        return still

    def _capture(self, picture: I420) -> None:
        frame = rtc.VideoFrame(picture.width, picture.height, rtc.VideoBufferType.I420, picture.data.data)
        self._source.capture_frame(frame)
