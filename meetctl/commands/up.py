"""`meetctl up`: a meeting from one file."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from meetctl.commands._meetings import find_meeting
from meetctl.commands._run import Started, prepare, report_to, run_meeting, spawn_detached
from meetctl.display import console
from meetctl.errors import ConflictError, ExitCode, MeetctlError
from meetctl.roster import Roster, load_roster
from meetctl.settings import environment, runtime_dir
from meetctl.supervisor.control import ask
from meetctl.supervisor.registry import running

WAIT_MARGIN_S = 5.0
"""For the answer itself, beyond the time it may wait."""


def up(
    path: Path,
    *,
    room: str | None,
    only: Sequence[str],
    detach: bool,
    wait: bool,
    timeout_s: float,
    open_browser: bool,
    as_json: bool,
    report_fd: int | None,
) -> ExitCode:
    """Runs the roster's meeting, or with `detach` leaves it running and returns."""
    if report_fd is not None:
        return run_reporting(lambda: load_roster(path, environment=environment(), only=only, room=room), report_fd)
    roster = load_roster(path, environment=environment(), only=only, room=room)
    refuse_second(roster.room)
    if not detach:
        return run_meeting(
            roster, prepare(roster), on_started=lambda started: _announce(started, open_browser), show=True
        )
    prepare(roster)
    arguments = ["up", str(path), "--room", roster.room, *(f"--only={name}" for name in only)]
    started = spawn_detached(arguments, roster.room)
    if not as_json:
        console.print_data(started.join_link)
    if open_browser:
        webbrowser.open(started.join_link)
    if wait:
        wait_for_agents(started.room, timeout_s)
    if as_json:
        console.print_json({"schema_version": 1, **asdict(started)})
    return ExitCode.OK


def run_reporting(load: Callable[[], Roster], report_fd: int) -> ExitCode:
    """Runs as the detached child: every failure up to the join link goes to the waiting command."""
    try:
        roster = load()
        return run_meeting(
            roster,
            prepare(roster),
            on_started=lambda started: report_to(report_fd, {"ok": asdict(started)}),
            show=False,
        )
    except MeetctlError as error:
        report_to(report_fd, {"error": error.as_dict()})
        raise


def refuse_second(room: str) -> None:
    """Raises ConflictError if a meeting of that name runs; the lock has the last word, this only says it sooner."""
    if any(note.room == room for note, _ in running(runtime_dir())):
        raise ConflictError(
            f"a meeting named {room} is already up", hint=f"meetctl status {room}, or meetctl down {room}"
        )


def wait_for_agents(room: str, timeout_s: float, seats: list[str] | None = None) -> None:
    """Waits until agents are ready; raises TimedOutError or AgentFailed. Degraded ones are told about."""
    _, files = find_meeting(room)
    request = {"do": "wait", "seats": seats, "timeout_s": timeout_s}
    document = asyncio.run(ask(files.socket, request, timeout_s=timeout_s + WAIT_MARGIN_S))
    for agent in document["agents"]:
        if agent["state"] == "degraded":
            console.talk(f"warning: {agent['name']} is degraded: {agent['last_error']}")


def _announce(started: Started, open_browser: bool) -> None:
    console.talk(f"join: {started.join_link}")
    if open_browser:
        webbrowser.open(started.join_link)
