"""What several commands share: finding what a meeting leaves on disk, be it running or over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meetctl.commands._meetings import find_meeting, running
from meetctl.commands._silence import is_stopped, not_answering
from meetctl.errors import NotRunningError, TimedOutError
from meetctl.meeting.records import newest
from meetctl.settings import state_dir
from meetctl.supervisor.control import ask
from meetctl.supervisor.launcher import ProcessId


@dataclass(frozen=True, slots=True)
class Records:
    """One meeting's directory of logs and transcript."""

    room: str
    directory: Path
    supervisor: ProcessId | None = None
    """None = the meeting is over."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Seats to names, as far as the meeting can still be asked."""

    @property
    def is_running(self) -> bool:
        return self.supervisor is not None and self.supervisor.is_alive()


def find_records(room: str | None) -> Records:
    """Returns those of the running meeting that is meant; else of the last meeting in that room, or of all.

    Raises:
        NotRunningError: if there never was one.
        UsageError: if several run and none is named.
    """
    meetings = running()
    if any(note.room == room for note, _ in meetings) or (room is None and meetings):
        note, files = find_meeting(room, silent=True)
        supervisor = ProcessId(note.pid, note.start_time)
        with contextlib.suppress(NotRunningError, TimedOutError):
            if is_stopped(note):
                raise not_answering(note, files)
            answer = asyncio.run(ask(files.socket, {"do": "where"}))
            return Records(note.room, Path(answer["log_dir"]), supervisor, answer["seats"])
        # It is just starting, or just ending, or it does not answer.
        if note.log_dir is not None and Path(note.log_dir).is_dir():
            return Records(note.room, Path(note.log_dir), supervisor)
        return Records(note.room, _newest(note.room), supervisor)
    directory = _newest(room)
    return Records(directory.parent.name, directory)


def _newest(room: str | None) -> Path:
    rooms = [path for path in state_dir().iterdir() if path.is_dir() and room in (None, path.name)]
    found = newest(path for directory in rooms for path in directory.iterdir() if path.is_dir())
    if found is None:
        where = f"in room {room} " if room else ""
        raise NotRunningError(f"no meeting {where}runs or has run on this machine", hint="meetctl status")
    return found
