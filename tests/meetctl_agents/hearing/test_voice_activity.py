"""A microphone that fails says so to whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from meetctl_agents.hearing.voice_activity import FRAME_MS, SAMPLE_RATE, activities, load_detector

WAIT_S = 10.0


async def failing() -> AsyncIterator[rtc.AudioFrameEvent]:
    for _ in range(50):
        yield rtc.AudioFrameEvent(rtc.AudioFrame.create(SAMPLE_RATE, 1, SAMPLE_RATE * FRAME_MS // 1000))
    raise OSError("the stream broke")


async def test_an_exception_in_the_feed_ends_the_listening_with_it() -> None:
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(OSError, match="the stream broke"):
            async for _ in activities(load_detector(), "sam", failing()):
                pass
