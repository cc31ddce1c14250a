"""Keeps a face: opens a Simli session, opens another when one ends, and says why there is none meanwhile.

It never gives up the agent for the sake of the face: whatever goes wrong here costs the picture, not the voice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import av

from meetctl.protocol import Degraded, Face, IceState, Model, Warn

from ..meters import Snapshot
from .leg import FaceLeg, open_face
from .refusal import FaceRefused, Fault
from .room_video import VideoStep
from .signaling import Said
from .sink import FaceAudioOutput

Report = Callable[[Model], None]

BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between attempts; the last goes on for ever: a session costs nothing until it starts."""
HEALTHY_S = 30.0
"""A session that lived for so long was not part of a row of failures."""
USAGE_S = 10.0
"""How often running avatar time is reported."""

logger = logging.getLogger(__name__)


class FaceKeeper:
    """Keeps one agent's face attached to its voice and its picture; `run` until cancelled."""

    def __init__(
        self,
        face: Face,
        output: FaceAudioOutput,
        video: VideoStep,
        report: Report,
        count_seconds: Callable[[float], None],
    ) -> None:
        self._face = face
        self._output = output
        self._video = video
        self._report = report
        self._count_seconds = count_seconds
        self._leg: FaceLeg | None = None
        self._degraded = False

    async def run(self) -> None:
        """Opens sessions one after the other; returns only where trying again cannot help."""
        failures = 0
        while True:
            lived, end = await self._session()
            failures = 0 if lived >= HEALTHY_S else failures + 1
            self._degrade(end)
            if end.permanent:
                self._report(Warn(message=end.message, hint=end.hint))
                return
            await asyncio.sleep(backoff(failures))

    async def snapshot(self) -> Snapshot:
        """Returns the counters of the session there is; without one, a closed leg."""
        if self._leg is None:
            return Snapshot(at=time.monotonic(), ice=IceState.CLOSED)
        return await self._leg.peer.snapshot()

    async def _session(self) -> tuple[float, FaceRefused]:
        """Holds one session from its opening to its end; returns how long it lived, in seconds, and why it ended."""
        began = time.monotonic()
        try:
            async with open_face(self._face, _Ears(self._output, self._video)) as leg:
                end = await self._attached(leg)
        except FaceRefused as refused:
            end = refused
        except Exception as error:
            logger.exception("the face failed")
            end = FaceRefused(Fault.MEDIA, f"{type(error).__name__}: {error}")
        return time.monotonic() - began, end

    async def _attached(self, leg: FaceLeg) -> FaceRefused:
        counting = asyncio.create_task(self._count(leg), name="face-seconds")
        self._leg = leg
        try:
            await leg.wait_live()
            self._output.attach(leg)
            self._restore()
            return await leg.wait_ended()
        finally:
            self._leg = None
            self._output.detach()
            self._video.clear()
            counting.cancel()
            await asyncio.wait({counting})

    async def _count(self, leg: FaceLeg) -> None:
        counted = leg.started_at
        try:
            while True:
                await asyncio.sleep(USAGE_S)
                now = time.monotonic()
                self._count_seconds(now - counted)
                counted = now
        finally:
            self._count_seconds(time.monotonic() - counted)

    def _degrade(self, end: FaceRefused) -> None:
        logger.warning("no face: %s", end.message)
        self._degraded = True
        self._report(Degraded(reason=f"no face: {end.message}"))

    def _restore(self) -> None:
        logger.info("the face is there")
        if self._degraded:
            self._degraded = False
            self._report(Degraded(reason=None))


def backoff(failures: int) -> float:
    """Returns the seconds to wait after so many failures in a row."""
    return BACKOFF_S[min(max(failures, 1), len(BACKOFF_S)) - 1]


@dataclass(frozen=True, slots=True)
class _Ears:
    """Passes one session's media on."""

    output: FaceAudioOutput
    video: VideoStep

    def picture(self, frame: av.VideoFrame) -> None:
        self.video.show(frame)

    def sound(self, frame: av.AudioFrame) -> None:
        self.output.sound(frame)

    def said(self, said: Said) -> None:
        self.output.said(said)
