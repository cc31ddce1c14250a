"""The plain way, beside which meetctl is measured: one unmodified agent by `connect --room`, as people do by hand.

A person is in the room, for a session publishes nothing until one is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.served import served_room
from meetctl.local.livekit import LiveKitConfig
from meetctl.rooms import guest_token
from testing.subscriber_probe import POLL_S, SubscriberProbe

ROOM = "plain"
IDENTITY = "plain"
PROGRAM = (sys.executable, "-m", "benchmarks.plain_agent")
IDLE_S = 10.0
SETTLED_S = 3.0
BOUND_S = 60.0
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass(frozen=True, slots=True)
class Plain:
    """What one such agent takes."""

    start_s: float
    """From its command until its track is in the room."""
    memory_mb: float
    """Unique, all its processes."""
    cpu_percent: float
    """Of a core, while nobody speaks."""


async def measure_plain() -> Plain:
    """Starts one agent in a room of its own, watches it idle, and ends it."""
    async with _room() as (config, probe):
        began = time.perf_counter()
        agent = subprocess.Popen(  # type: ignore[call-overload]
            [*PROGRAM, "connect", "--room", ROOM, "--participant-identity", IDENTITY],
            env={
                **os.environ,
                "LIVEKIT_URL": config.url,
                "LIVEKIT_API_KEY": config.api_key,
                "LIVEKIT_API_SECRET": config.api_secret.get_secret_value(),
            },
            cwd=Path(__file__).parents[1],
            start_new_session=True,
            **QUIET,
        )
        try:
            async with asyncio.timeout(BOUND_S):
                while not probe.publications(IDENTITY):
                    await asyncio.sleep(POLL_S)
            start_s = time.perf_counter() - began
            await asyncio.sleep(SETTLED_S)
            family = [psutil.Process(agent.pid), *psutil.Process(agent.pid).children(recursive=True)]
            before = sum(map(_cpu_s, family))
            await asyncio.sleep(IDLE_S)
            return Plain(
                start_s,
                sum(process.memory_full_info().uss for process in family) / 1e6,
                100 * (sum(map(_cpu_s, family)) - before) / IDLE_S,
            )
        finally:
            os.killpg(agent.pid, signal.SIGKILL)
            agent.wait()


@contextlib.asynccontextmanager
async def _room() -> AsyncIterator[tuple[LiveKitConfig, SubscriberProbe]]:
    async with served_room(ROOM) as config:
        token = guest_token(config.credentials, room=ROOM, identity="robin", name="Robin")
        async with SubscriberProbe(config.url, token.get_secret_value()) as probe:
            yield config, probe


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)
