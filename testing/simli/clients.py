"""What the tests of the local Simli server share: sounds, and eyes and ears for clients."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import numpy as np
from numpy.typing import NDArray
from simli.simli import SimliClient

from meetctl.local.simli.face.renderer import mouth_box, reference_frame

WAIT_SECONDS = 20.0


class Watcher:
    """What a client sees and hears."""

    def __init__(self) -> None:
        self.frames: list[NDArray[np.uint8]] = []
        self.sound: list[NDArray[np.int16]] = []
        self.words: list[str] = []
        self.changed = asyncio.Condition()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS), self.changed:
            await self.changed.wait_for(condition)

    async def add(self, kind: list[NDArray[np.uint8]] | list[NDArray[np.int16]], item: object) -> None:
        async with self.changed:
            kind.append(item)  # type: ignore[arg-type]
            self.changed.notify_all()


@asynccontextmanager
async def watching(client: SimliClient) -> AsyncIterator[Watcher]:
    watcher = Watcher()

    async def see() -> None:
        async for frame in client.getVideoStreamIterator("rgb24"):
            await watcher.add(watcher.frames, frame.to_ndarray(format="rgb24"))

    async def hear() -> None:
        async for frame in client.getAudioStreamIterator():
            await watcher.add(watcher.sound, frame.to_ndarray().reshape(-1)[::2])

    tasks = [asyncio.create_task(see()), asyncio.create_task(hear())]
    try:
        yield watcher
    finally:
        await client.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def vowel(seconds: float) -> bytes:
    """Returns an "ah": a buzz at 120 Hz with formants near 730 and 1090 Hz, PCM16LE at 16 kHz."""
    at = np.arange(int(seconds * 16_000)) / 16_000
    tone = np.zeros_like(at)
    for harmonic in range(1, 30):
        hertz = 120 * harmonic
        gain = math.exp(-(((hertz - 730) / 150) ** 2)) + 0.6 * math.exp(-(((hertz - 1090) / 180) ** 2)) + 0.05
        tone += gain * np.sin(2 * np.pi * hertz * at)
    return bytes((tone / np.abs(tone).max() * 12_000).astype("<i2").tobytes())


def mouth_of(frame: NDArray[np.uint8]) -> NDArray[np.float64]:
    x, y, width, height = mouth_box(frame.shape[0])
    return frame[y : y + height, x : x + width].astype(np.float64)


def moved(frame: NDArray[np.uint8], idle: NDArray[np.uint8]) -> float:
    return float(np.abs(mouth_of(frame) - mouth_of(idle)).mean())


def loud(chunks: list[NDArray[np.int16]]) -> bool:
    return bool(chunks) and float(np.sqrt(np.mean(np.concatenate(chunks).astype(np.float64) ** 2))) > 500


async def usage(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/ratelimiter/sessions") as response:
        return int((await response.json())["currentUsage"])


async def wait_until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not await condition():
            await asyncio.sleep(0.05)


async def see_and_hear_the_face(
    seen: Watcher, send: Callable[[bytes], Awaitable[None]], skip: Callable[[], Awaitable[None]]
) -> None:
    """Asserts what every client of every generation must get from the face `ada`."""
    await seen.until(lambda: len(seen.frames) >= 10 and len(seen.sound) >= 25)
    assert not loud(seen.sound), "silence before the first speech"
    idle = seen.frames[-1]
    assert idle.shape == (512, 512, 3)
    assert np.abs(idle - reference_frame("ada").astype(np.float64)).mean() < 8, "the video shows this face"
    assert np.abs(idle - reference_frame("max").astype(np.float64)).mean() > 16, "and not another"

    await send(vowel(60))
    await seen.until(lambda: loud(seen.sound[-25:]))
    await seen.until(lambda: moved(seen.frames[-1], idle) > 8)  # the mouth opens

    await skip()
    count = len(seen.sound)
    await seen.until(lambda: not loud(seen.sound[-10:]))  # what was queued is not heard: most of a minute
    assert len(seen.sound) - count < 1_000, "half of what was left, in frames of 10 or 20 ms"
    await seen.until(lambda: moved(seen.frames[-1], idle) < 4)  # and the mouth shuts


async def all_sessions_closed(url: str) -> None:
    """Returns when no session is open."""

    async def closed() -> bool:
        return await usage(url) == 0

    await wait_until(closed)
