"""`meetctl up`: a meeting from one file."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from meetctl.commands._change import change
from meetctl.commands._meetings import is_running, wait_for_agents
from meetctl.commands._run import Joinable, prepare, report_to, run_meeting, spawn_detached, write_into
from meetctl.display import console
from meetctl.errors import ExitCode, MeetctlError
from meetctl.protocol.steps import STEPS
from meetctl.roster import Roster, handed_on, load_roster, load_variables, reached_at
from meetctl.settings import environment, marked
from meetctl.supervisor.descendants import OPENED_VARIABLE
from meetctl.supervisor.timeline import tell_steps

BOARD_LINES = 24
"""What the notes and the board of a small meeting take."""


def up(
    path: Path,
    *,
    room: str | None,
    only: Sequence[str],
    detach: bool,
    wait: bool,
    timeout_s: float,
    open_browser: bool,
    dry_run: bool,
    as_json: bool,
    report_fd: int | None,
    env_file: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    on: str | None = None,
) -> ExitCode:
    """Runs the roster's meeting, or with `detach` leaves it running and returns; one that runs is made like it."""

    def load() -> Roster:
        variables = load_variables(path, env_file, environment())
        roster = load_roster(path, environment=variables, only=only, room=room, env_file=env_file, on=on)
        reach = reached_at(roster.reach, host, port)
        return roster if reach is roster.reach else roster.model_copy(update={"reach": reach})

    if report_fd is not None:
        return run_reporting(load, report_fd)
    with STEPS.step("read the roster"):
        roster = load()
    if dry_run or is_running(roster.room):
        link = change(roster, dry_run=dry_run, as_json=as_json, wait_s=timeout_s if wait else None)
        if link is not None and open_browser:
            webbrowser.open(link)
        return ExitCode.OK
    if not detach:
        return run_meeting(
            roster, prepare(roster), on_started=lambda started: _announce(started, open_browser), show=True
        )
    with STEPS.step("look for what it needs"):
        prepare(roster)
    with STEPS.step("start the supervisor"), handed_on(path, env_file) as (files, descriptors):
        arguments = ["up", files[path], "--room", roster.room, *(f"--only={name}" for name in only)]
        arguments += ["--env-file", files[env_file]] if env_file is not None else []
        arguments += [f"--host={host}"] if host is not None else []
        arguments += [f"--port={port}"] if port is not None else []
        arguments += [f"--on={on}"] if on is not None else []
        started = spawn_detached(arguments, roster.room, descriptors)
    tell_steps("meetctl up")
    if not as_json:
        console.print_data(started.join_link)
        _tell_of(started)
    if open_browser:
        webbrowser.open(started.local_link)
    if wait:
        wait_for_agents(started.room, timeout_s)
    if as_json:
        console.print_json({"schema_version": 1, **asdict(started)})
    return ExitCode.OK


def run_reporting(load: Callable[[], Roster], report_fd: int) -> ExitCode:
    """Runs as the detached child: every failure up to the join link goes to the waiting command."""
    try:
        with STEPS.step("read the roster"):
            roster = load()
        with STEPS.step("look for what it needs"):
            binary = prepare(roster)
        return run_meeting(
            roster,
            binary,
            on_started=lambda started: report_to(report_fd, {"ok": asdict(started)}),
            show=False,
            holding=write_into,
        )
    except MeetctlError as error:
        report_to(report_fd, {"error": error.as_dict()})
        raise


def _announce(started: Joinable, open_browser: bool) -> None:
    console.talk(f"join: {started.join_link}")
    _tell_of(started)
    if open_browser:
        marked(OPENED_VARIABLE, lambda: webbrowser.open(started.local_link))  # it stays when the meeting ends


def _tell_of(started: Joinable) -> None:
    for note in started.notes:
        console.talk(f"note: {note}")
    if started.notes:
        console.show_qr_code(started.join_link, if_room_for=BOARD_LINES)
