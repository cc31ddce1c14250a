"""Runs a meeting in this process, in the foreground with the board or as the detached child of `up -d`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meetctl.catalogue import LocalModel, local_model
from meetctl.commands._signals import CODES, ending_signals
from meetctl.commands.setup import setup
from meetctl.display import console, lines
from meetctl.errors import ERRORS_BY_CODE, EndedError, ExitCode, MeetctlError, OutputError, StandInError, Unheard
from meetctl.meeting.meeting import SUPERVISOR_LOG, Meeting
from meetctl.meeting.requests import handlers, streams
from meetctl.roster import Roster
from meetctl.settings import environment, new_log_dir, runtime_dir
from meetctl.status.document import StatusDocument
from meetctl.supervisor.control import ControlServer
from meetctl.supervisor.descendants import adopt_orphans
from meetctl.supervisor.detaching import go_on_detached
from meetctl.supervisor.forking import can_fork
from meetctl.supervisor.service_manager import READY, ServiceManager
from meetctl.supervisor.tasks import begun

REFRESH_S = 0.5
"""Statistics arrive once a second; twice as often shows state changes without delay."""


@dataclass(frozen=True, slots=True)
class Joinable:
    """What a meeting says once people can join."""

    room: str
    join_link: str
    log_dir: str
    local_link: str = ""
    """For this machine alone."""
    notes: tuple[str, ...] = ()
    """What is to be known before the join link is handed out."""

    @classmethod
    def of(cls, meeting: Meeting) -> Joinable:
        door = meeting.front_door
        return cls(meeting.roster.room, meeting.join_link, str(meeting.log_dir), door.link(local=True), door.notes)


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
    on_started: Callable[[Joinable], None],
    show: bool,
    work: Work | None = None,
    holding: Callable[[Path], object] = lambda log_dir: None,
) -> ExitCode:
    """Runs the meeting until a signal or `down` ends it, or its work is done; returns the code for the shell.

    Args:
        holding: called with the meeting's directory once it is there and the lock held.

    Raises:
        EndedError: if a signal ended it before people could join.
    """
    adopt_orphans()
    return asyncio.run(_run(roster, binary, on_started, show, work, holding))


async def _run(
    roster: Roster,
    binary: Path | None,
    on_started: Callable[[Joinable], None],
    show: bool,
    work: Work | None,
    holding: Callable[[Path], object],
) -> ExitCode:
    signals = _Signals()
    log_dir = new_log_dir(roster.room)
    manager = ServiceManager.of(environment())
    meeting = Meeting(
        roster,
        server_binary=binary,
        runtime_dir=runtime_dir(),
        log_dir=log_dir,
        holding=lambda: holding(log_dir),
        manager=manager,
    )
    unheard: Unheard | None = None
    with signals:
        try:
            async with meeting:
                signals.follow(meeting)
                async with ControlServer(
                    meeting.files.socket, handlers(meeting), streams(meeting), bug=meeting.report_bug
                ):
                    on_started(Joinable.of(meeting))
                    manager.tell(READY)
                    try:
                        await (_until_ended(meeting, show) if work is None else _until_done(meeting, work))
                    except Unheard as nobody:
                        unheard = nobody
                    ending = await meeting.end()
        except (asyncio.CancelledError, MeetctlError):
            if signals.got is None:  # otherwise it failed because it was broken off
                raise
            raise _broken_off(roster.room, signals.got) from None
    if show or ending.reason is not None:  # detached, it goes to the supervisor's log
        for line in lines.ending(ending.as_dict()):
            console.talk(line)
    if signals.got is not None:
        return CODES[signals.got]
    return unheard.exit_code if unheard is not None else ExitCode.OK


class _BrokenOff(EndedError):
    """The start was broken off by a signal, which says the exit code."""

    def __init__(self, room: str, by: str, exit_code: ExitCode) -> None:
        super().__init__(f"{room} was ended while it was starting, by {by}", hint="meetctl up again when it is wanted")
        self.exit_code = exit_code  # type: ignore[misc]


def _broken_off(room: str, number: signal.Signals) -> EndedError:
    return _BrokenOff(room, _SENDERS.get(number, number.name), CODES[number])


async def _until_done(meeting: Meeting, work: Work) -> None:
    """Does the work; breaks it off when somebody ends the meeting."""
    ended = begun(meeting.ended.wait())
    working = begun(work(meeting))
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
            with contextlib.suppress(OutputError):  # a full disk costs the lines, never the meeting
                update(StatusDocument(meetings=(meeting.status(),)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await meeting.ended.wait()


_SENDERS = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "`meetctl down` (SIGTERM)",
    signal.SIGHUP: "its terminal, which was closed",
}


class _Signals:
    """The first of the signals above ends the meeting gracefully, the second by force."""

    def __init__(self) -> None:
        self.got: signal.Signals | None = None
        self._meeting: Meeting | None = None
        self._starting = asyncio.current_task()
        self._ending: asyncio.Task[Any] | None = None
        self._numbers = ending_signals()

    def __enter__(self) -> _Signals:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            loop.add_signal_handler(number, self._on_signal, number)
        return self

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._numbers:
            loop.remove_signal_handler(number)

    def follow(self, meeting: Meeting) -> None:
        """From now on a signal ends this meeting, where before it broke off the start."""
        self._meeting = meeting

    def _on_signal(self, number: signal.Signals) -> None:
        if self._meeting is not None and self._meeting.ended.is_set():
            return  # it is over, and about to leave
        first = self.got is None
        self.got = self.got or number
        if self._meeting is None:
            if first and self._starting is not None:
                self._starting.cancel()
            return
        if first:
            self._ending = begun(self._meeting.end())
            console.talk("stopping; once more to force")
        else:
            self._meeting.force()


# --- detached ---


def spawn_detached(arguments: Sequence[str], room: str, descriptors: Sequence[int] = ()) -> Joinable:
    """Starts this command again as a session of its own and returns when people can join.

    Where that is sound it goes on in a fork of this process, which has loaded what the other will need.

    Args:
        arguments: the command line after `meetctl`, without `--detach`.
        descriptors: open files that it inherits under their numbers.

    Raises:
        MeetctlError: what the child answered, or how it died.
    """
    read_end, write_end = os.pipe()
    with tempfile.TemporaryFile() as words:  # of one that has no directory yet: see `write_into`
        try:
            argv = ["meetctl", *arguments, "--report-fd", str(write_end)]
            kept = [write_end, *descriptors]
            if can_fork() and threading.active_count() == 1:
                go_on_detached(argv, words.fileno(), kept)
            else:
                subprocess.Popen(
                    [sys.executable, "-m", *argv],
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=words,
                    start_new_session=True,
                    pass_fds=kept,
                )
        finally:
            os.close(write_end)
        with os.fdopen(read_end, encoding="utf-8") as report:
            line = report.readline()  # ends with the child at the latest
        words.seek(0)
        last = words.read().decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    if not line:
        raise StandInError(f"the supervisor did not start: {last[0]}", hint=f"meetctl logs --room {room}")
    answer = json.loads(line)
    if "error" in answer:
        error_class = ERRORS_BY_CODE.get(answer["error"]["code"], MeetctlError)
        raise error_class(answer["error"]["message"], hint=answer["error"]["hint"])
    return Joinable(**answer["ok"] | {"notes": tuple(answer["ok"]["notes"])})


def write_into(log_dir: Path) -> None:
    """Has everything that this process writes from now on appended to the supervisor's log of that meeting."""
    log = os.open(log_dir / SUPERVISOR_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log, stream.fileno())
    os.close(log)


def report_to(descriptor: int, answer: dict[str, Any]) -> None:
    """Answers the command that started this one detached; it may have gone meanwhile."""
    with contextlib.suppress(OSError), os.fdopen(descriptor, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(answer) + "\n")
