"""A bridge at work: real rooms, a real Simli server as a process of its own, and what the bridge reported."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import aiohttp
import numpy as np
from livekit import rtc
from livekit.agents.voice import io
from meetctl_agents.face.bridge import Bridge
from meetctl_agents.face.direct import Direct
from numpy.typing import NDArray
from pydantic import SecretStr

from meetctl.protocol import Assignment, Degraded, Face, Model, Serving, parse_event

KEY = "a-secret-simli-key"
NAME = "Ada Lovelace"
RATE = 16_000
FRAME_SAMPLES = 3200
"""What a speech model hands over at a time: 0.2 s."""

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Simli:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    async def set_faults(self, **faults: object) -> None:
        async with aiohttp.ClientSession() as http, http.put(f"{self.url}/local/faults", json=faults) as response:
            assert response.status == 200, await response.text()

    async def open_sessions(self) -> int:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/ratelimiter/sessions") as response:
            return int((await response.json())["currentUsage"])

    async def wait_closed(self, seconds: float = 5) -> None:
        """Returns once the server holds no session."""
        async with asyncio.timeout(seconds):
            while await self.open_sessions():
                await asyncio.sleep(0.05)


@contextmanager
def simli(*options: str, module: str = "meetctl.local.simli") -> Iterator[Simli]:
    """Runs a server that may be stopped, killed and told to fail."""
    command = [sys.executable, "-m", module, "--watch-stdin", "--injectable", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            event = parse_event(process.stdout.readline())
            assert isinstance(event, Serving), event
            yield Simli(event.url, process)
        finally:
            process.stdin.close()
            process.kill()


def pattern_simli(*options: str) -> AbstractContextManager[Simli]:
    """Runs a server whose picture is the test picture, with a beep at every full second."""
    return simli(*options, module="testing.face.pattern_simli")


@dataclass
class Stage:
    """One bridge in one room."""

    bridge: Bridge | Direct
    began: float = field(default_factory=time.monotonic)
    reports: list[Model] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    started: list[float] = field(default_factory=list)
    finished: list[tuple[float, float, bool]] = field(default_factory=list)
    """When, the position in seconds, and whether it was interrupted."""

    def of(self, kind: type[M]) -> list[M]:
        """Returns the reports of one kind."""
        return [report for report in self.reports if isinstance(report, kind)]

    async def wait_degraded(self, seconds: float = 10) -> str:
        """Returns the reason, once the face is gone."""
        async with asyncio.timeout(seconds):
            while not (degraded := self.of(Degraded)) or (reason := degraded[-1].reason) is None:
                await asyncio.sleep(0.02)
        return reason

    async def wait_restored(self, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not (degraded := self.of(Degraded)) or degraded[-1].reason is not None:
                await asyncio.sleep(0.02)

    async def speak(self, samples: NDArray[np.int16], *, flush: bool = True) -> None:
        """Speaks a segment, as fast as it is taken."""
        output = self.bridge.output
        for start in range(0, samples.size, FRAME_SAMPLES):
            piece = samples[start : start + FRAME_SAMPLES]
            await output.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, piece.size))
        if flush:
            output.flush()

    async def wait_finished(self, count: int, seconds: float = 15) -> None:
        """Returns once so many segments have ended."""
        async with asyncio.timeout(seconds):
            while len(self.finished) < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def staged(livekit_url: str, token: str, simli_url: str, **limits: float) -> AsyncIterator[Stage]:
    """Runs a bridge, without an agent session, until the block ends; `limits` are fields of the face."""
    given = {"url": simli_url, "api_key": SecretStr(KEY), "face_id": "ada", **limits}
    face = Face.model_validate(given)
    assignment = Assignment(identity="ada", name=NAME, room="r", url=livekit_url, token=SecretStr(token), face=face)
    room = rtc.Room()
    await room.connect(livekit_url, token, rtc.RoomOptions(auto_subscribe=False))
    reports: list[Model] = []
    seconds: list[float] = []
    bridge = Bridge(room, assignment, reports.append, seconds.append)
    stage = Stage(bridge, reports=reports, seconds=seconds)

    def on_started(_: io.PlaybackStartedEvent) -> None:
        stage.started.append(time.monotonic())

    def on_finished(event: io.PlaybackFinishedEvent) -> None:
        stage.finished.append((time.monotonic(), event.playback_position, event.interrupted))

    bridge.output.on("playback_started", on_started)
    bridge.output.on("playback_finished", on_finished)
    try:
        async with bridge:
            yield stage
    finally:
        await room.disconnect()
