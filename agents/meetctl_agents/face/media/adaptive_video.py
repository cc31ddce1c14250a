"""Chooses the picture's last step by the face's size: the cheap one where LiveKit keeps every pixel, or the exact one.

A face has one size as a rule, mostly 512x512, and that goes the cheap way for ever. The first frame of a size that
LiveKit would change moves the picture to the exact way, once: that one takes all sizes, so there is no way back.
"""

from __future__ import annotations

import asyncio
import logging

import av
from livekit import rtc

from .room_video import GRAIN, DecodedVideo, Draw, VideoStep
from .vp8_video import EncodedVideo

SUBSCRIBED_WITHIN_S = 1.0
"""Whoever is in the room takes a new track within 0.1 s; if nobody is, there is nobody to wait for."""
OVERLAP_S = 0.5
"""From there to the first decoded picture it is 0.2 s; nothing tells the sender of it."""

logger = logging.getLogger(__name__)


class FittingVideo:
    """One picture in the room, published in one of two ways; for a moment in both, so that it is never gone."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._room: rtc.Room | None = None
        self._filled = DecodedVideo(draw)
        self._steps: tuple[VideoStep, ...] = (self._filled,)
        self._unfit: asyncio.Future[av.VideoFrame] = asyncio.get_running_loop().create_future()

    async def publish(self, room: rtc.Room) -> None:
        self._room = room
        await self._filled.publish(room)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(self._filled.run(), name="filled-video")
            exact = await self._publish_exact(await self._unfit)
            tasks.create_task(exact.run(), name="exact-video")
            await _wait_seen(exact)
            self._steps = (exact,)
            filling.cancel()
            await self._filled.unpublish()

    def show(self, frame: av.VideoFrame) -> None:
        if not self._unfit.done() and not keeps_every_pixel(frame.width, frame.height):
            self._unfit.set_result(frame)
        for step in self._steps:
            step.show(frame)

    def renew(self) -> None:
        for step in self._steps:
            step.renew()

    def clear(self) -> None:
        for step in self._steps:
            step.clear()

    async def _publish_exact(self, frame: av.VideoFrame) -> EncodedVideo:
        assert self._room is not None
        logger.info("the face is %dx%d: it goes into the room encoded here", frame.width, frame.height)
        exact = EncodedVideo(self._draw, (frame.width, frame.height))
        # Shown from before it is published: the track begins with the face, not with the placeholder.
        self._steps = (self._filled, exact)
        exact.show(frame)
        await exact.publish(self._room)
        return exact


def keeps_every_pixel(width: int, height: int) -> bool:
    """Tells whether LiveKit publishes raw pictures of that size as they are."""
    return width % GRAIN == 0 and height % GRAIN == 0


async def _wait_seen(exact: EncodedVideo) -> None:
    try:
        async with asyncio.timeout(SUBSCRIBED_WITHIN_S):
            await exact.wait_subscribed()
    except TimeoutError:
        return
    await asyncio.sleep(OVERLAP_S)
