"""One Simli session in a task of its own, from before it is asked for until it is closed: it is told of, and counted.

Two may run side by side while one takes over from the other; only one of them is seen and heard.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av

from meetctl.protocol import AvatarSession, Face, Model
from meetctl.protocol.steps import STEPS

from ..media.room_video import VideoStep
from ..output.sink import FaceAudioOutput
from ..signaling.base import FaceSignal
from ..signaling.refusal import FaceFault, FaceRefused
from .leg import FaceLeg, open_face

USAGE_S = 10.0
"""How often running avatar time is counted."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Telling:
    """Whom a session tells what."""

    report: Callable[[Model], None]
    count_seconds: Callable[[float], None]


class FaceSession:
    """A session that opens at once. Mute and unseen until `appear`."""

    def __init__(self, face: Face, output: FaceAudioOutput, video: VideoStep, telling: Telling) -> None:
        loop = asyncio.get_running_loop()
        self.leg: FaceLeg | None = None
        self.began = time.monotonic()
        self.live: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[FaceRefused] = loop.create_future()
        self._id = uuid.uuid4().hex[:8]
        self._face = face
        self._media = _MediaSwitch(output, video)
        self._telling = telling
        self._task = asyncio.create_task(self._run(), name="face-session")

    @property
    def limit(self) -> float:
        """Monotonic seconds at which Simli ends it: it has lasted for too long, or been quiet for too long."""
        longest = self.began + self._face.max_session_s
        if self._media.speaking:
            return longest
        return min(longest, (self._media.spoke_at or self.began) + self._face.max_idle_s)

    async def wait_live(self) -> FaceRefused | None:
        """Returns None once picture and sound have come, or why they will not."""
        waits: set[asyncio.Future[Any]] = {self.live, self.ended}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return self.ended.result() if self.ended.done() else None

    def appear(self) -> None:
        """From now on it is seen and heard."""
        self._media.on = True

    def disappear(self) -> None:
        """From now on it is neither seen nor heard."""
        self._media.on = False

    async def close(self) -> None:
        """Closes the session; bounded, may be called twice."""
        self.disappear()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            async with open_face(self._face, self._media, self._opening) as leg:
                self.leg = leg
                counting = asyncio.create_task(self._count(leg), name="face-seconds")
                try:
                    with STEPS.step("wait for a picture and a sound of the face"):
                        await leg.wait_live()
                    self.live.set_result(None)
                    end = await leg.wait_ended()
                finally:
                    self.disappear()
                    counting.cancel()
                    await asyncio.wait({counting})
        except FaceRefused as refused:
            end = refused
        except Exception as error:
            logger.exception("the face failed")
            end = FaceRefused(FaceFault.MEDIA, f"{type(error).__name__}: {error}")
        finally:
            self._telling.report(AvatarSession(id=self._id, opened=False))
        self.ended.set_result(end)

    def _opening(self) -> None:
        # Told before the first byte: whoever dies in between leaves a session that somebody has to know of.
        until = time.time() + min(self._face.max_session_s, self._face.max_idle_s)
        self._telling.report(AvatarSession(id=self._id, opened=True, until=until))

    async def _count(self, leg: FaceLeg) -> None:
        counted = leg.started_at
        try:
            while True:
                await asyncio.sleep(USAGE_S)
                now = time.monotonic()
                self._telling.count_seconds(now - counted)
                counted = now
        finally:
            self._telling.count_seconds(time.monotonic() - counted)


@dataclass(slots=True)
class _MediaSwitch:
    """Passes one session's media on while it is on, and notes when it spoke."""

    output: FaceAudioOutput
    video: VideoStep
    on: bool = False
    speaking: bool = False
    spoke_at: float | None = None

    def picture(self, frame: av.VideoFrame) -> None:
        if self.on:
            self.video.show(frame)

    def sound(self, frame: av.AudioFrame) -> None:
        if self.on:
            self.output.sound(frame)

    def said(self, said: FaceSignal) -> None:
        if said in (FaceSignal.SPEAK, FaceSignal.SILENT):
            self.speaking, self.spoke_at = said is FaceSignal.SPEAK, time.monotonic()
        if self.on:
            self.output.said(said)
