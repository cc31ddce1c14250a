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

from .frames import I420, I420Packer
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
"""Pixels. LiveKit's source cuts width and height down to a multiple of it: here the rest is filled up, not lost."""
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


class Scene:
    """What is to be seen: the face, or, where none came for a while, the placeholder in the face's last size."""

    def __init__(self, draw: Draw, size: tuple[int, int]) -> None:
        self.size = size
        """Width and height of what was shown last."""
        self.late = 0
        """Frames that came too late to be shown."""
        self._draw = draw
        self._still: I420 | None = None
        self._punctuality = Punctuality()
        self._shown_at: float | None = None

    @property
    def is_empty(self) -> bool:
        """Tells whether there is no face."""
        return self._shown_at is None or time.monotonic() - self._shown_at > STALE_S

    def takes(self, frame: av.VideoFrame) -> bool:
        """Tells whether a frame is in time, which makes it the one that is seen."""
        now = time.monotonic()
        if frame.time is not None and self._punctuality.is_late(frame.time, now):
            self.late += 1
            return False
        self._shown_at = now
        return True

    def renew(self) -> None:
        """What comes from now on has a clock of its own."""
        self._punctuality = Punctuality()

    def clear(self) -> None:
        """The face is gone."""
        self._shown_at = None
        self.renew()

    async def still(self) -> I420:
        """Returns the placeholder."""
        # In the face's last size, so that a newcomer's tile does not jump when the face returns.
        still = self._still
        if still is None or (still.width, still.height) != self.size:
            still = self._still = await asyncio.to_thread(self._draw, *self.size)
        return still


class Publication:
    """One track of the face in a room, of one layer in VP8; every kind of it is announced in the same way."""

    def __init__(self, room: rtc.Room, published: rtc.LocalTrackPublication) -> None:
        self._room = room
        self._published = published

    async def wait_subscribed(self) -> None:
        """Returns once somebody takes it."""
        await self._published.wait_for_subscription()

    async def end(self) -> None:
        """Takes the track out of the room."""
        await self._room.local_participant.unpublish_track(self._published.sid)


async def publish_face(room: rtc.Room, track: rtc.LocalVideoTrack, *, encoded: bool = False) -> Publication:
    """Publishes a track as the agent's picture; `encoded` = its source gives VP8, not pictures."""
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_CAMERA,
        video_codec=rtc.VideoCodec.VP8,
        simulcast=False,
        stream=STREAM,
        degradation_preference=rtc.DegradationPreference.MAINTAIN_RESOLUTION,  # type: ignore[arg-type]
        video_encoding=rtc.VideoEncoding(max_bitrate=MAX_BITRATE, max_framerate=MAX_FPS),
    )
    if encoded:
        options.video_encoder = rtc.VideoEncoderBackend.ENCODER_BACKEND_PRE_ENCODED
    return Publication(room, await room.local_participant.publish_track(track, options))


class DecodedVideo:
    """Publishes decoded frames at their own size, filled up to a multiple of four."""

    def __init__(self, draw: Draw) -> None:
        self._source = rtc.VideoSource(SIZE, SIZE)
        self._packer = I420Packer(GRAIN)
        self._scene = Scene(draw, (SIZE, SIZE))
        self._publication: Publication | None = None

    async def publish(self, room: rtc.Room) -> None:
        still = await self._scene.still()
        self._capture(still)
        track = rtc.LocalVideoTrack.create_video_track("face", self._source)
        self._publication = await publish_face(room, track)
        self._capture(still)

    async def unpublish(self) -> None:
        """Takes the track out of the room again; nothing may be shown after that."""
        assert self._publication is not None
        await self._publication.end()
        await self._source.aclose()

    async def run(self) -> None:
        while True:
            if self._scene.is_empty:
                self._capture(await self._scene.still())
            await asyncio.sleep(1 / STILL_FPS)

    def show(self, frame: av.VideoFrame) -> None:
        if not self._scene.takes(frame):
            return
        picture = self._packer.pack(frame)
        self._scene.size = (picture.width, picture.height)
        self._capture(picture)

    def renew(self) -> None:
        self._scene.renew()

    def clear(self) -> None:
        self._scene.clear()

    def _capture(self, picture: I420) -> None:
        frame = rtc.VideoFrame(picture.width, picture.height, rtc.VideoBufferType.I420, picture.data.data)
        self._source.capture_frame(frame)
