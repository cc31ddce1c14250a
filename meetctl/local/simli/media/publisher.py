"""A session's media in a LiveKit room: joins with a token, publishes camera and microphone, leaves at the end."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.media.audio48 import Upsampler
from meetctl.local.simli.media.peer import AUDIO_CLOCK, VIDEO_BITRATE
from meetctl.local.simli.media.pictures import Pictures
from meetctl.local.simli.sessions.clock import MediaClock
from meetctl.local.simli.sessions.playout import CHUNK_SECONDS

if TYPE_CHECKING:
    from livekit import rtc

    from meetctl.local.simli.sessions.session import SimliSession

CONNECT_SECONDS = 8.0
"""One signal connection and one ICE round; 0.2 s on one machine."""
LEAVE_SECONDS = 2.0
_DIRECT_SAMPLES = AUDIO_CLOCK // 100
"""A source without queue takes frames of exactly 10 ms; a queue would keep every burst as delay for good."""


class RoomPublisher:
    """One participant that is a face."""

    def __init__(self, session: SimliSession, painters: ThreadPoolExecutor, *, video: bool = True) -> None:
        from livekit import rtc

        self.room: rtc.Room = rtc.Room()
        self.left = asyncio.Event()
        """Set when the room let us go: removed, or the server is gone."""
        self._session = session
        self._painters = painters
        self._video = video
        self._clock = MediaClock()
        self._pumps: list[asyncio.Task[None]] = []
        self.room.on("disconnected", lambda *_: self.left.set())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.room.disconnect()

    async def join(self, url: str, token: str) -> None:
        """Enters the room.

        Raises:
            ConnectionError: the server cannot be reached, or refuses the token.
        """
        from livekit import rtc

        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
        except (rtc.ConnectError, TimeoutError) as error:
            raise ConnectionError(f"cannot join the LiveKit room: {error or 'timed out'}") from error

    async def publish(self) -> None:
        """Begins to send sound and picture."""
        from livekit import rtc

        session = self._session
        sound = rtc.AudioSource(AUDIO_CLOCK, 1, queue_size_ms=0)
        microphone = rtc.LocalAudioTrack.create_audio_track("avatar-audio", sound)
        await self.room.local_participant.publish_track(
            microphone, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True)
        )
        self._pumps.append(asyncio.create_task(self._send_sound(sound)))
        if not self._video:
            return
        picture = rtc.VideoSource(session.face.size, session.face.size)
        camera = rtc.LocalVideoTrack.create_video_track("avatar-video", picture)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
        options.video_encoding.max_bitrate = VIDEO_BITRATE
        options.video_encoding.max_framerate = session.fps
        await self.room.local_participant.publish_track(camera, options)
        self._pumps.append(asyncio.create_task(self._send_pictures(picture)))

    async def _send_sound(self, source: rtc.AudioSource) -> None:
        from livekit import rtc

        upsample, index = Upsampler(), 0
        while True:
            await self._clock.wait_until(index * CHUNK_SECONDS)
            samples = upsample(self._session.next_audio())
            for start in range(0, len(samples), _DIRECT_SAMPLES):
                part = samples[start : start + _DIRECT_SAMPLES]
                await source.capture_frame(rtc.AudioFrame(part.tobytes(), AUDIO_CLOCK, 1, len(part)))
            index += 1

    async def _send_pictures(self, source: rtc.VideoSource) -> None:
        session, due = self._session, None
        pictures = Pictures(self._painters, _framed)
        while True:
            due = session.pace.next(due, self._clock.now)
            await self._clock.wait_until(due)
            source.capture_frame(await pictures.at(session, due))


def _framed(picture: NDArray[np.uint8]) -> rtc.VideoFrame:
    from livekit import rtc

    height, width = picture.shape[:2]
    frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes())
    return frame.convert(rtc.VideoBufferType.I420)  # once for each picture, however often it is sent
