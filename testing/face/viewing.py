"""A participant who watches and listens, and writes down what arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from testing.face.joined import joined

PATIENCE_S = 15.0
"""Anything waited for happens within a second on an idle machine; ours is shared."""
GREEN = (0, 135, 0)
"""What zeros look like as a picture."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture, as it arrived."""

    at: float
    width: int
    height: int
    mean: tuple[float, float, float]
    """Of red, green and blue."""
    spread: float
    """The largest standard deviation of a channel; 0 = flat."""
    rgb: NDArray[np.uint8]

    @property
    def is_green(self) -> bool:
        return bool(np.abs(np.subtract(self.mean, GREEN)).max() < 40)


@dataclass(frozen=True, slots=True)
class Heard:
    """Ten milliseconds of sound, as they arrived."""

    at: float
    peak: int


@dataclass
class Viewer:
    """What one participant has seen and heard of all others."""

    pictures: list[Seen] = field(default_factory=list)
    sounds: list[Heard] = field(default_factory=list)
    videos: int = 0
    """Tracks of pictures there have been."""
    started: float = field(default_factory=time.monotonic)

    async def wait(self, condition: Callable[[Viewer], bool], seconds: float = PATIENCE_S) -> None:
        """Returns once the condition holds; fails when it does not in time."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                await asyncio.sleep(0.02)

    def since(self, at: float) -> list[Seen]:
        return [seen for seen in self.pictures if seen.at >= at]

    def loud_since(self, at: float, peak: int = 1000) -> list[Heard]:
        return [heard for heard in self.sounds if heard.at >= at and heard.peak >= peak]

    def fps(self, begin: float, end: float) -> float:
        """Returns pictures a second between two moments."""
        return sum(begin <= seen.at < end for seen in self.pictures) / (end - begin)


@asynccontextmanager
async def viewing(url: str, token: str) -> AsyncIterator[Viewer]:
    """Joins a room and takes everything that is published there."""
    viewer = Viewer()
    async with joined(url, token, watch=partial(_watch, viewer), listen=partial(_listen, viewer)):
        yield viewer


async def _watch(viewer: Viewer, track: rtc.Track) -> None:
    viewer.videos += 1
    stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGB24)
    try:
        async for event in stream:
            frame = event.frame
            rgb = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.width, 3)
            small = rgb[::4, ::4].reshape(-1, 3)
            red, green, blue = small.mean(axis=0)
            viewer.pictures.append(
                Seen(
                    time.monotonic(),
                    frame.width,
                    frame.height,
                    (float(red), float(green), float(blue)),
                    float(small.std(axis=0).max()),
                    rgb[::2, ::2].copy(),
                )
            )
    finally:
        await stream.aclose()


async def _listen(viewer: Viewer, track: rtc.Track) -> None:
    stream = rtc.AudioStream(track, sample_rate=48_000, num_channels=1, frame_size_ms=10)
    try:
        async for event in stream:
            samples = np.frombuffer(event.frame.data, np.int16)
            viewer.sounds.append(Heard(time.monotonic(), int(np.abs(samples.astype(np.int32)).max())))
    finally:
        await stream.aclose()


def speech(seconds: float, rate: int = 16_000) -> NDArray[np.int16]:
    """Returns something like speech: a voice of 140 Hz with harmonics, four syllables a second."""
    t = np.arange(int(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 140 * harmonic * t) / harmonic for harmonic in range(1, 9))
    syllables = 0.15 + 0.85 * np.abs(np.sin(2 * np.pi * 2 * t))
    return np.asarray(voice / np.abs(voice).max() * syllables * 12_000).astype(np.int16)
