"""Runs a meeting in this process, in the foreground with the board or as the detached child of `up -d`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from meetctl.catalogue import LocalModel, local_model
from meetctl.commands.setup import setup
from meetctl.display import console, lines
from meetctl.display.json import status_document
from meetctl.errors import ERRORS_BY_CODE, ExitCode, MeetctlError, StandInError
from meetctl.meeting.meeting import Meeting
from meetctl.meeting.requests import handlers, streams
from meetctl.roster import Roster
from meetctl.settings import STATE, private_dir, runtime_dir, state_dir
from meetctl.supervisor.control import ControlServer

REFRESH_S = 0.5
"""Statistics arrive once a second; twice as often shows state changes without delay."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a meeting says once people can join."""

    room: str
    join_link: str
    log_dir: str


def prepare(roster: Roster, *also: LocalModel) -> Path | None:
    """Fetches what this roster needs and this machine lacks; returns the local server's binary, if one is needed."""
    named = (local_model(part, name) for part, name in roster.local_models)
    models = (*(model for model in named if model is not None), *also)  # the others are files of the user's own
    return setup(server=roster.livekit is None, models=models, insist=False)


Work = Callable[[Meeting], Awaitable[None]]
"""What a meeting is held for; it ends when that is done."""


def run_meeting(
    roster: Roster,
    binary: Path | None,
    *,
    on_started: Callable[[Started], None],
    show: bool,
    work: Work | None = None,
) -> ExitCode:
    """Runs the meeting until a signal or `down` ends it, or its work is done; returns the code for the shell."""
    return asyncio.run(_run(roster, binary, on_started, show, work))


async def _run(
    roster: Roster, binary: Path | None, on_started: Callable[[Started], None], show: bool, work: Work | None
) -> ExitCode:
    signals = _Signals()
    with signals:
        try:
            async with Meeting(
                roster, server_binary=binary, runtime_dir=runtime_dir(), log_dir=_new_log_dir(roster.room)
            ) as meeting:
                signals.follow(meeting)
                async with ControlServer(meeting.files.socket, handlers(meeting), streams(meeting)):
                    on_started(Started(roster.room, meeting.join_link, str(meeting.log_dir)))
                    await (_until_ended(meeting, show) if work is None else _until_done(meeting, work))
                    ending = await meeting.end()
        except (asyncio.CancelledError, MeetctlError):
            if signals.got is None:  # otherwise it failed because it was broken off
                raise
            return _code_of(signals.got)
    if show or ending.reason is not None:  # detached, it goes to the supervisor's log
        for line in lines.ending(ending.as_dict()):
            console.talk(line)
    return _code_of(signals.got) if signals.got is not None else ExitCode.OK


async def _until_done(meeting: Meeting, work: Work) -> None:
    """Does the work; breaks it off when somebody ends the meeting."""
    ended = asyncio.create_task(meeting.ended.wait())
    working = asyncio.ensure_future(work(meeting))
    try:
        await asyncio.wait({ended, working}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
    finally:
        for task in (ended, working):
            task.cancel()
        await asyncio.gather(ended, working, return_exceptions=True)


async def _until_ended(meeting: Meeting, show: bool) -> None:
    """Shows the meeting until it ends: the board on a terminal, a line for each change elsewhere."""
    if not show:
        await meeting.ended.wait()
        return
    with console.live() as update:
        while not meeting.ended.is_set():
            update(status_document([meeting.document()]))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await meeting.ended.wait()


class _Signals:
    """The first SIGINT or SIGTERM ends the meeting gracefully, the second by force."""

    def __init__(self) -> None:
        self.got: signal.Signals | None = None
        self._meeting: Meeting | None = None
        self._starting = asyncio.current_task()
        self._ending: asyncio.Task[Any] | None = None

    def __enter__(self) -> _Signals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def follow(self, meeting: Meeting) -> None:
        """From now on a signal ends this meeting, where before it broke off the start."""
        self._meeting = meeting

    def _on_signal(self, number: signal.Signals) -> None:
        first = self.got is None
        self.got = self.got or number
        if self._meeting is None:
            if first and self._starting is not None:
                self._starting.cancel()
            return
        if first:
            console.talk("stopping; once more to force")
            self._ending = asyncio.ensure_future(self._meeting.end())
        else:
            self._meeting.force()


def _code_of(number: signal.Signals) -> ExitCode:
    return ExitCode.INTERRUPTED if number is signal.SIGINT else ExitCode.TERMINATED


def _new_log_dir(room: str) -> Path:
    path = private_dir(state_dir() / room, STATE) / datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    path.mkdir(mode=0o700, parents=True)
    return path


# --- detached ---


def spawn_detached(arguments: Sequence[str], room: str, descriptors: Sequence[int] = ()) -> Started:
    """Starts this command again as a session of its own and returns when people can join.

    Args:
        arguments: the command line after `meetctl`, without `--detach`.
        descriptors: open files that it inherits under their numbers.

    Raises:
        MeetctlError: what the child answered, or how it died.
    """
    read_end, write_end = os.pipe()
    log_path = state_dir() / f"{room}.supervisor.log"
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        subprocess.Popen(
            [sys.executable, "-m", "meetctl", *arguments, "--report-fd", str(write_end)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[write_end, *descriptors],
        )
    finally:
        os.close(write_end)
        os.close(log)
    with os.fdopen(read_end, encoding="utf-8") as report:
        line = report.readline()  # ends with the child at the latest
    if not line:
        last = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise StandInError(f"the supervisor did not start: {last[0]}", hint=f"read {log_path}")
    answer = json.loads(line)
    if "error" in answer:
        error_class = ERRORS_BY_CODE.get(answer["error"]["code"], MeetctlError)
        raise error_class(answer["error"]["message"], hint=answer["error"]["hint"])
    return Started(**answer["ok"])


def report_to(descriptor: int, answer: dict[str, Any]) -> None:
    """Answers the command that started this one detached; it may have gone meanwhile."""
    with contextlib.suppress(OSError), os.fdopen(descriptor, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer) + "\n")
