"""What the avatar's picture and sound are worth at a subscriber: true, complete, together, soon, and without a gap.

Runs by itself (`python -m benchmarks.avatar [SECONDS]`), prints JSON lines. The face's server sends numbered test
pictures and a beep at every full second; the bridge and the subscriber are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import signal
import statistics
import sys
import time
from contextlib import AbstractAsyncContextManager
from itertools import pairwise

from livekit import rtc
from meetctl_agents.face.bridge import Bridge
from pydantic import SecretStr

from benchmarks.bridge import compare
from benchmarks.measuring import show, spread
from benchmarks.served import served_room
from meetctl.local.livekit import LiveKitConfig
from meetctl.protocol import Assignment, AvatarSession, AvOffset, Face, Model
from meetctl.rooms import agent_token, guest_token
from testing.face.measuring import Measured, measuring, p95
from testing.face.stage import pattern_simli

ROOM = "bench"
SECONDS = 60.0
SETTLE_S = 5.0
"""A receiver finds out in the first seconds what belongs together."""
LIMIT_S = 10
"""Of a session, where its renewal is measured."""
RENEWALS = 3
STALL_S = 0.8
AFTER_STALL_S = 15.0
SIZES = ((64, 64), (65, 67), (501, 333), (720, 720), (1280, 720), (1279, 721), (1280, 1280))
SIZE_S = 8.0
NEVER = 1_000_000
TAIL_S = 1.0
"""What is still on its way does not count as lost."""


async def bridge() -> None:
    """Runs the bridge of the assignment on stdin until stdin ends; what it reports goes to stdout."""
    assignment = Assignment.model_validate_json(await asyncio.to_thread(sys.stdin.readline))
    room = rtc.Room()
    await room.connect(assignment.url, assignment.token.get_secret_value(), rtc.RoomOptions(auto_subscribe=False))

    def report(event: Model) -> None:
        sys.stdout.write(f"{event.model_dump_json()}\n")
        sys.stdout.flush()

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, time.sleep, STALL_S)
    async with Bridge(room, assignment, report, lambda _: None):
        await asyncio.to_thread(sys.stdin.read)
    await room.disconnect()


async def run(seconds: float) -> None:
    """Measures everything and prints it."""
    show("bridge CPU", "of publishing alone", **_figures(await compare()))
    async with served_room(ROOM) as config:
        with pattern_simli("--codec", "vp8") as simli:
            await steady(config, simli.url, seconds)
            await stall(config, simli.url)
            await renewal(config, simli.url)
        await sizes(config)


async def sizes(config: LiveKitConfig) -> None:
    """Measures how many frames arrive at each size, the odd ones too; without PSNR, which takes a core by itself."""
    ratios = {}
    for width, height in SIZES:
        with pattern_simli("--codec", "vp8", "--sizes", f"{width}x{height}") as simli:
            async with _watching(config, (width, height)) as measured, _Child(config, simli.url):
                since, until = await _watched(measured, SIZE_S)
                ratios[f"{width}x{height}"] = measured.ratio(since, until)
    show("frames at the subscriber by size", "of the source's", **ratios)


async def steady(config: LiveKitConfig, simli_url: str, seconds: float) -> None:
    """Measures an undisturbed stream."""
    async with _watching(config) as measured, _Child(config, simli_url) as child:
        since, until = await _watched(measured, seconds)
        seen = [picture for picture in measured.numbered(since) if picture.due < until]
        decibels = [picture.psnr for picture in seen if picture.psnr is not None]
        offsets = measured.offsets(since)
        show("picture", "dB", p5=statistics.quantiles(decibels, n=20)[0], p50=statistics.median(decibels))
        show("frames at the subscriber", "of the source's", ratio=measured.ratio(since, until))
        show("source to subscriber, picture", "ms", **spread([picture.latency * 1000 for picture in seen]))
        median = statistics.median(offsets) * 1000
        show("sound minus picture", "ms", p50=median, p95_abs=p95(offsets) * 1000, n=len(offsets))
    kind = AvOffset.model_fields["type"].default
    told = [AvOffset.model_validate(event).ms for event in child.events if event["type"] == kind]
    if told:
        show("sound minus picture, as the bridge reports it", "ms", p50=statistics.median(told), n=len(told))


async def stall(config: LiveKitConfig, simli_url: str) -> None:
    """Measures sound and picture after the bridge's loop has stood still."""
    async with _watching(config) as measured, _Child(config, simli_url) as child:
        await measured.wait_numbered()
        await asyncio.sleep(2 * SETTLE_S)
        child.stall()
        since = time.time() + STALL_S + SETTLE_S
        await asyncio.sleep(STALL_S + SETTLE_S + AFTER_STALL_S)
        offsets = measured.offsets(since)
    median = statistics.median(offsets) * 1000
    show("sound minus picture, after a stall", "ms", p50=median, p95_abs=p95(offsets) * 1000, n=len(offsets))


async def renewal(config: LiveKitConfig, simli_url: str) -> None:
    """Measures how long the picture stands still where a session is renewed."""
    async with _watching(config) as measured, _Child(config, simli_url, max_session_s=LIMIT_S) as child:
        await measured.wait_numbered()
        begun = time.time()
        await measured.wait(lambda _: child.opened > RENEWALS, LIMIT_S * (RENEWALS + 2))
        ended = time.time()
    gaps = [after.at - before.at for before, after in pairwise(measured.numbered(begun)) if after.at < ended]
    show("longest gap between pictures", "ms", over_renewals=child.opened - 1, gap=max(gaps) * 1000)


async def _watched(measured: Measured, seconds: float) -> tuple[float, float]:
    """Returns when it began and ended (Unix time), once so many settled seconds have wholly arrived."""
    await measured.wait_numbered()
    await asyncio.sleep(SETTLE_S)
    since = time.time()
    await asyncio.sleep(seconds)
    until = time.time()
    await asyncio.sleep(TAIL_S)
    return since, until


class _Child:
    """The bridge as a process."""

    def __init__(self, config: LiveKitConfig, simli_url: str, **limits: int) -> None:
        face = Face(url=simli_url, api_key=SecretStr("local-key"), face_id="ada", **limits)
        token = agent_token(config.credentials, room=ROOM, identity="ada", name="Ada")
        self._assignment = Assignment(identity="ada", name="Ada", room=ROOM, url=config.url, token=token, face=face)
        self.events: list[dict[str, object]] = []

    @property
    def opened(self) -> int:
        """Sessions opened so far."""
        kind = AvatarSession.model_fields["type"].default
        return sum(event["type"] == kind and bool(event["opened"]) for event in self.events)

    def stall(self) -> None:
        """Makes its loop stand still."""
        self._process.send_signal(signal.SIGUSR1)

    async def __aenter__(self) -> _Child:
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        command = [sys.executable, "-m", "benchmarks.avatar", "--bridge"]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=null)
        assert self._process.stdin is not None
        self._process.stdin.write(self._assignment.model_dump_json().encode() + b"\n")
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await self._reading
                await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.events.append(json.loads(line))


def _watching(config: LiveKitConfig, size: tuple[int, int] | None = None) -> AbstractAsyncContextManager[Measured]:
    token = guest_token(config.credentials, room=ROOM, identity="bob", name="Bob").get_secret_value()
    if size is None:
        return measuring(config.url, token)
    return measuring(config.url, token, sizes=(size,), every=NEVER)


def _figures(found: dict[str, object]) -> dict[str, float | int | str]:
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def main(seconds: float = SECONDS) -> None:
    asyncio.run(run(seconds))


if __name__ == "__main__":
    if "--bridge" in sys.argv:
        asyncio.run(bridge())
    else:
        main(*map(float, sys.argv[1:]))
