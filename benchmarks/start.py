"""How long a meeting takes until all media is received, what its processes use, how long one more agent takes.

The plain way stands beside it: one unmodified agent with a session, started by `connect --room`, as people do by hand.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring import Command, command, show, spread
from benchmarks.plain import measure_plain
from meetctl.supervisor.control import ask

ROSTER = """
room: bench
agents:
  - {name: Ada, agent: simli, face: local}
  - {name: Eve, agent: simli, face: local}
  - {name: Max, agent: audio}
  - {name: Zoe, agent: audio}
"""
RUNS = 3
JOINS = 5
SETTLED_S = 15.0
"""Young processes are looked at more often."""
IDLE_S = 20.0
BOUND_S = 120.0
POLL_S = 0.03


def main() -> None:
    """Prints start times, memory and CPU; each run has servers of its own."""
    plain = [asyncio.run(measure_plain()) for _ in range(RUNS)]
    with command() as meetctl:
        (meetctl.directory / "roster.yaml").write_text(ROSTER)
        media, whole = zip(*(_start(meetctl, last=run == RUNS - 1) for run in range(RUNS)), strict=True)
        by_hand = [each.start_s for each in plain]
        show("up, 4 agents (2 avatars), to all media received", "s", **spread(media))
        show("the same, to models loaded too (up --wait)", "s", **spread(whole))
        show("one plain agent by connect --room, to published", "s", **spread(by_hand))
        show("whole meeting / one plain agent", "ratio", ratio=min(media) / min(by_hand))
        _use(meetctl)
        show("one plain agent, idle", "MB unique", value=plain[-1].memory_mb)
        show("one plain agent, idle", "% of a core", value=plain[-1].cpu_percent)
        typed, spawned = zip(*asyncio.run(_joins(meetctl)), strict=True)
        show("one more audio agent, from its start to media received", "s", **spread(spawned))
        show("the same, from typing `meetctl join`", "s", **spread(typed))
        show("one more agent / one plain agent", "ratio", ratio=min(spawned) / min(by_hand))


def _start(meetctl: Command, *, last: bool) -> tuple[float, float]:
    """Returns the seconds until everybody's media was received, and until the models were loaded too."""
    began = time.perf_counter()
    meetctl("up", "roster.yaml", "-d")
    asyncio.run(all_ready(meetctl, "agents"))
    media = time.perf_counter() - began
    asyncio.run(all_ready(meetctl, "services"))
    whole = time.perf_counter() - began
    if not last:
        meetctl("down")
    return media, whole


async def all_ready(meetctl: Command, what: str) -> None:
    async with asyncio.timeout(BOUND_S):
        while not all(seat["ready"] for seat in (await _status(meetctl))[what]):
            await asyncio.sleep(POLL_S)


async def _status(meetctl: Command) -> dict[str, Any]:
    (socket,) = Path(meetctl.environment["XDG_RUNTIME_DIR"]).rglob("*.sock")
    return dict(await ask(socket, {"do": "status"}, timeout_s=BOUND_S))


async def _joins(meetctl: Command) -> list[tuple[float, float]]:
    """Returns for each agent the seconds from typing, and from the start of its process, to its media."""
    program = await asyncio.create_subprocess_exec(
        *meetctl.argv("events", "bench"), env=meetctl.environment, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        await program.stdout.readline()  # "subscribed"
        return [await _join(meetctl, f"More {number}", program.stdout) for number in range(JOINS)]
    finally:
        program.terminate()
        await program.wait()


async def _join(meetctl: Command, name: str, events: asyncio.StreamReader) -> tuple[float, float]:
    identity = name.lower().replace(" ", "-")
    began = time.perf_counter()
    await asyncio.to_thread(meetctl, "join", "bench", "--agent", "audio", "--name", name)
    typed = time.perf_counter() - began
    started: datetime | None = None
    async with asyncio.timeout(BOUND_S):
        while True:
            event = json.loads(await events.readline())
            at = datetime.fromisoformat(event["at"])
            if event["kind"] == "started" and event["seat"] == identity:
                started = at
            elif event["kind"] == "media_received" and event["identity"] == identity and started is not None:
                return typed, (at - started).total_seconds()


def _use(meetctl: Command) -> None:
    time.sleep(SETTLED_S)
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


if __name__ == "__main__":
    main()
