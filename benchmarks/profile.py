"""`make profile`: where the time of a meeting's start goes, cold and warm, and where its CPU goes, at rest and in talk.

`python -m benchmarks.profile [FILE]` writes one HTML file and prints the figures, one JSON object a line. The steps are
told by the processes themselves, which are asked for them by `MEETCTL_TIMELINE`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import site
import sys
import sysconfig
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring import Command, command, fixed_loop, show
from benchmarks.profiled import TYPED, Span, Used, page
from benchmarks.start import ROSTER, SETTLED_S, all_ready
from meetctl.settings import cache_dir
from meetctl.supervisor.timeline import FILE
from testing.agents.human import Human

MEETING = "bench"
LOOK_S = 20.0
SPOKEN = "I would rather begin with the small things, because they teach us what the large ones need. " * 3
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
OUT = "profile.html"


def main(arguments: list[str]) -> None:
    """Writes the file and prints the figures."""
    out = Path(arguments[0] if arguments else OUT)
    loop_s = fixed_loop()
    show("ten million additions", "s", value=loop_s)
    starts: dict[str, list[Span]] = {}
    looks: dict[str, list[Used]] = {}
    figures = [f"{time.strftime('%F %T')}; {os.cpu_count()} cores; ten million additions take {loop_s:.2f} s"]
    with command() as meetctl:
        (meetctl.directory / "roster.yaml").write_text(ROSTER)
        for name, before in (("cold", forget_files), ("warm", lambda: None)):
            before()
            spans, spent = start(meetctl, name)
            starts[f"{name} start"] = spans
            to_media, to_models = spans[-2].ended - spans[0].began, spans[-1].ended - spans[0].began
            show(f"{name} start to all media received", "s", value=to_media, models=to_models)
            show(f"{name} start to all media received", "s of a core", value=sum(spent.values()), **spent)
            figures.append(
                f"{name}: all media received after {to_media:.2f} s, all models loaded after {to_models:.2f} s"
            )
            if name == "cold":
                meetctl("down")
        time.sleep(SETTLED_S)
        looks["at rest"] = look(meetctl)
        looks["in talk"] = asyncio.run(_in_talk(meetctl, lambda: look(meetctl)))
        for name, used in looks.items():
            frames = _frames(meetctl)
            total = sum(one.percent for one in used)
            show(f"a meeting of two avatars and two audio agents {name}", "% of a core", value=total, **frames)
            figures.append(f"{name}: {total:.0f} % of a core; frames a second now: {frames}")
    out.write_text(page(figures, starts, looks), encoding="utf-8")
    print(out, file=sys.stderr)


def start(meetctl: Command, name: str) -> tuple[list[Span], dict[str, float]]:
    """Starts the meeting; returns its steps and what each process spent of a core until all media was received.

    The last two steps are the moments when media and models were there.
    """
    file = meetctl.directory / f"{name}.jsonl"
    meetctl.environment[FILE] = str(file)
    typed = time.monotonic()
    meetctl("up", "roster.yaml", "-d")
    asyncio.run(all_ready(meetctl, "agents"))
    media = time.monotonic()
    spent = _spent(meetctl)
    asyncio.run(all_ready(meetctl, "services"))
    models = time.monotonic()
    del meetctl.environment[FILE]
    told = [Span(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    spans = [
        Span(TYPED, "typed", typed, typed),
        *told,
        Span("the meeting", "all media received", media, media),
        Span("the meeting", "all models loaded", models, models),
    ]
    return spans, spent


def look(meetctl: Command) -> list[Used]:
    """Returns what the threads of every process of the meeting use, by name."""
    names = _names(meetctl.status())
    before = dict(_ticks(names))
    began = time.monotonic()
    time.sleep(LOOK_S)
    seconds = time.monotonic() - began
    used: dict[tuple[str, str], list[float]] = {}
    for (pid, tid, thread), ticks in _ticks(names):
        spent = ticks - before.get((pid, tid, thread), 0)
        used.setdefault((names[pid], thread), []).append(100 * spent * TICK_S / seconds)
    return [Used(process, thread, len(each), sum(each)) for (process, thread), each in used.items()]


def forget_files() -> None:
    """Has the kernel forget what it keeps of the files that a start reads, as after the machine was switched on."""
    folders = [*site.getsitepackages(), sysconfig.get_path("stdlib"), str(cache_dir()), str(Path(__file__).parents[1])]
    for folder in folders:
        for path in Path(folder).rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file():
                    file = os.open(path, os.O_RDONLY)
                    try:
                        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
                    finally:
                        os.close(file)


async def _in_talk(meetctl: Command, measure: Callable[[], list[Used]]) -> list[Used]:
    """Measures while both avatars say something by turns and one person listens."""
    door = json.loads(meetctl("link", MEETING, "--name", "Robin", "--json"))
    async with Human(door["livekit_url"], door["token"]):
        talking = asyncio.create_task(_talk(meetctl))
        try:
            await asyncio.sleep(3.0)
            return await asyncio.to_thread(measure)
        finally:
            talking.cancel()
            await asyncio.wait({talking})


def _talk(meetctl: Command) -> Coroutine[Any, Any, None]:
    async def talk() -> None:
        while True:
            for name in ("Ada", "Eve"):
                await asyncio.to_thread(meetctl, "say", name, SPOKEN)
            await asyncio.sleep(20.0)

    return talk()


def _spent(meetctl: Command) -> dict[str, float]:
    """Returns the seconds of a core that each process has used since it began, a fork's own from then on."""
    return {name: _seconds(pid) for pid, name in _names(meetctl.status()).items()}


def _seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def _names(meeting: dict[str, Any]) -> dict[int, str]:
    supervisor = psutil.Process(meeting["pid"])
    seats = {seat["pid"]: seat["name"] for seat in (*meeting["services"], *meeting["agents"])}
    family = [supervisor, *supervisor.children(recursive=True)]
    return {each.pid: seats.get(each.pid) or _called(each, supervisor) for each in family}


def _called(process: psutil.Process, supervisor: psutil.Process) -> str:
    if process == supervisor:
        return "supervisor"
    argv = process.cmdline()
    return next((part.rpartition(".")[2] for part in argv if part.startswith("meetctl")), argv[0] if argv else "?")


def _ticks(pids: dict[int, str]) -> Iterator[tuple[tuple[int, int, str], int]]:
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*"):
            with contextlib.suppress(OSError):
                name, _, rest = (task / "stat").read_text(encoding="utf-8").partition("(")[2].rpartition(")")
                fields = rest.split()
                tid = int(task.name)
                thread = "main" if tid == pid else name
                yield (pid, tid, thread), int(fields[11]) + int(fields[12])


def _frames(meetctl: Command) -> dict[str, float]:
    agents = meetctl.status()["agents"]
    return {each["name"]: each["legs"]["room"]["video_fps"] for each in agents if each["program"] == "simli"}


if __name__ == "__main__":
    main(sys.argv[1:])
