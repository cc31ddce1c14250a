"""A participant who reads the test picture's numbers and hears its beeps: what came, when, how true, how far apart."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from livekit import rtc

from testing.face.joined import joined
from testing.face.pattern import NUMBERS, psnr, read

BEEP_PEAK = 4000
QUIET_S = 0.3
"""So long before a beep nothing was loud."""
LATEST_S = 5.0
"""What is older than this cannot be told from what comes next: beeps are a second apart, numbers 136."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as it arrived. Times are of the day."""

    at: float
    width: int
    height: int
    number: int | None
    due: float
    """When the source had it; 0 without a number."""
    psnr: float | None
    """Of luma, in dB; not taken of every picture."""

    @property
    def latency(self) -> float:
        return self.at - self.due


@dataclass
class Measured:
    """What one participant received."""

    fps: int
    sizes: tuple[tuple[int, int], ...]
    """That the source may have. What arrives has one of them, or, filled up to a multiple of four, is one of them."""
    every: int
    pictures: list[Picture] = field(default_factory=list)
    beeps: list[float] = field(default_factory=list)
    loud: list[float] = field(default_factory=list)

    async def wait(self, condition: Callable[[Measured], bool], seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                await asyncio.sleep(0.05)

    async def wait_numbered(self, count: int = 1, seconds: float = 20.0) -> None:
        """Returns once so many numbered pictures have arrived."""
        await self.wait(lambda measured: len(measured.numbered()) >= count, seconds)

    def numbered(self, since: float = 0.0) -> list[Picture]:
        """Returns the source's own pictures: not the placeholder."""
        return [picture for picture in self.pictures if picture.number is not None and picture.at >= since]

    def ratio(self, since: float, until: float) -> float:
        """Returns the part of the source's pictures of that time that arrived."""
        first, last = math.ceil(since * self.fps), math.ceil(until * self.fps)
        seen = {round(picture.due * self.fps) for picture in self.numbered()}
        return sum(number in seen for number in range(first, last)) / (last - first)

    def offsets(self, since: float = 0.0) -> list[float]:
        """Returns sound minus picture at every beep, in seconds; positive = sound late."""
        found = []
        for beep in self.beeps:
            due = round(beep - 0.5) if beep % 1 < 0.5 else math.floor(beep)
            near = [picture.latency for picture in self.numbered() if abs(picture.due - due) < 0.05]
            if near and beep >= since:
                found.append(beep - due - near[0])
        return found


def p95(values: list[float]) -> float:
    """Returns the 95th percentile of the values' distances from zero."""
    return float(np.percentile(np.abs(values), 95))


@asynccontextmanager
async def measuring(
    url: str, token: str, *, fps: int = 25, sizes: tuple[tuple[int, int], ...] = ((512, 512),), every: int = 5
) -> AsyncIterator[Measured]:
    """Joins a room and measures everything that is published there; PSNR of every so manyth picture."""
    measured = Measured(fps, sizes, every)
    async with joined(url, token, watch=partial(_watch, measured), listen=partial(_listen, measured)):
        yield measured


async def _watch(measured: Measured, track: rtc.Track) -> None:
    stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420)
    try:
        async for event in stream:
            at, frame = time.time(), event.frame
            luma = np.frombuffer(frame.data, np.uint8, frame.width * frame.height).reshape(frame.height, frame.width)
            width, height = source_size(measured.sizes, frame.width, frame.height)
            number = read(luma, width, height)
            due = 0.0 if number is None else due_from_number(number, at, measured.fps)
            true = None
            if number is not None and len(measured.pictures) % measured.every == 0:
                true = psnr(luma, number, width, height)
            measured.pictures.append(Picture(at, frame.width, frame.height, number, due, true))
    finally:
        await stream.aclose()


async def _listen(measured: Measured, track: rtc.Track) -> None:
    stream = rtc.AudioStream(track, sample_rate=48_000, num_channels=1, frame_size_ms=10)
    last_loud = 0.0
    try:
        async for event in stream:
            at = time.time()
            samples = np.abs(np.frombuffer(event.frame.data, np.int16).astype(np.int32))
            if samples.max() > BEEP_PEAK:
                began = at - 0.01 + int(np.argmax(samples > BEEP_PEAK)) / 48_000
                if began - last_loud > QUIET_S:
                    measured.beeps.append(began)
                last_loud = at
                measured.loud.append(at)
    finally:
        await stream.aclose()


def source_size(sizes: tuple[tuple[int, int], ...], width: int, height: int) -> tuple[int, int]:
    """Returns the source's size that arrived as this one: itself, or up to three pixels less each way."""
    if (width, height) in sizes:
        return width, height
    fitting = [size for size in sizes if 0 <= width - size[0] < 4 and 0 <= height - size[1] < 4]
    return fitting[0] if fitting else (width, height)


def due_from_number(number: int, at: float, fps: int) -> float:
    """Returns the time of day at which a picture that arrived then, and has this number, was due."""
    latest = math.floor(at * fps)
    return (latest - (latest - number) % NUMBERS) / fps
