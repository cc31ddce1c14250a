"""How long a meeting takes until all media is received, what its processes use, how long one more agent takes.

The plain way stands beside it: one unmodified agent started with `connect --room`, as people do by hand.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.measuring import Command, command, show, spread
from meetctl.local.livekit import new_server_config, server_argv, wait_until_serving, write_config
from meetctl.local.livekit_binary import cached_server
from meetctl.rooms import Rooms

ROSTER = """
room: bench
agents:
  - {name: Ada, agent: simli, face: local}
  - {name: Eve, agent: simli, face: local}
  - {name: Max, agent: audio}
  - {name: Zoe, agent: audio}
"""
RUNS = 3
JOINS = 3
IDLE_S = 10.0
PLAIN_AGENT = Path(__file__).parents[1] / "tests" / "programs" / "plain_agent.py"


def main() -> None:
    """Prints start times, memory and CPU; each run has servers of its own."""
    plain = [asyncio.run(_plain_start()) for _ in range(RUNS)]
    with command() as meetctl:
        (meetctl.directory / "roster.yaml").write_text(ROSTER)
        starts = [_start(meetctl, last=run == RUNS - 1) for run in range(RUNS)]
        show("up, 4 agents (2 avatars), to all media received", "s", **spread(starts))
        show("one plain agent by connect --room, to published", "s", **spread(plain))
        show("whole meeting / one plain agent", "ratio", ratio=min(starts) / min(plain))
        _use(meetctl)
        joins = [_join(meetctl, number) for number in range(JOINS)]
        show("one more audio agent, to all media received", "s", **spread(joins))


def _start(meetctl: Command, *, last: bool) -> float:
    began = time.perf_counter()
    meetctl("up", "roster.yaml", "-d", "--wait")
    seconds = time.perf_counter() - began
    if not last:
        meetctl("down")
    return seconds


def _join(meetctl: Command, number: int) -> float:
    began = time.perf_counter()
    meetctl("join", "bench", "--agent", "audio", "--name", f"More {number}")
    return time.perf_counter() - began


def _use(meetctl: Command) -> None:
    meeting = meetctl.status()
    supervisor = psutil.Process(meeting["pid"])
    before = supervisor.cpu_times()
    time.sleep(IDLE_S)
    after = supervisor.cpu_times()
    used = (after.user + after.system) - (before.user + before.system)
    show("supervisor, 4 agents, idle", "MB unique", value=supervisor.memory_full_info().uss / 1e6)
    show("supervisor, 4 agents, idle", "% of a core", value=100 * used / IDLE_S)
    for seat in (*meetctl.status()["services"], *meeting["agents"]):
        show(f"{seat['name']} ({seat.get('program', 'service')})", "MB unique", value=_unique_mb(seat["pid"]))


def _unique_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_full_info().uss) / 1e6


async def _plain_start() -> float:
    """Returns the seconds from starting the program until the server lists its track."""
    import tempfile

    config = new_server_config()
    with tempfile.TemporaryDirectory(prefix="meetctl-bench-") as directory:
        path = Path(directory) / "livekit.yaml"
        write_config(config, path)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(server_argv(cached_server(), path), **quiet)  # type: ignore[call-overload]
        try:
            await wait_until_serving(config.url)
            async with Rooms(config.credentials) as rooms:
                await rooms.create("bench")
                environment = {
                    **os.environ,
                    "LIVEKIT_URL": config.url,
                    "LIVEKIT_API_KEY": config.api_key,
                    "LIVEKIT_API_SECRET": config.api_secret.get_secret_value(),
                }
                began = time.perf_counter()
                agent = subprocess.Popen(  # type: ignore[call-overload]
                    [sys.executable, str(PLAIN_AGENT), "connect", "--room", "bench", "--participant-identity", "plain"],
                    env=environment,
                    start_new_session=True,
                    **quiet,
                )
                try:
                    async with asyncio.timeout(60):
                        while not any(one.publishes for one in await rooms.participants("bench")):
                            await asyncio.sleep(0.05)
                    return time.perf_counter() - began
                finally:
                    os.killpg(agent.pid, 9)
                    agent.wait()
        finally:
            server.kill()
            server.wait()
