"""What is told of a meeting whose supervisor is there and does not answer: since when, why, and what to do."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from meetctl.display.words import clock, local_time
from meetctl.errors import TimedOutError
from meetctl.status.document import NOT_ANSWERING, ErrorStatus, MeetingStatus
from meetctl.supervisor.launcher import ProcessId
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, last_beat


def is_stopped(note: MeetingNote) -> bool:
    """Returns whether the supervisor is held still, so that waiting for an answer is in vain."""
    return ProcessId(note.pid, note.start_time).is_stopped()


def not_answering(note: MeetingNote, files: MeetingFiles) -> TimedOutError:
    """Returns the failure of everything that is asked of it."""
    since = last_beat(files)
    told = "" if since is None else f" since {local_time(_iso(since))} ({clock(_ago(since))})"
    return TimedOutError(f"{note.room} is {NOT_ANSWERING}{told}: {_why(note)}", hint=_hint(note))


def silent_status(note: MeetingNote, files: MeetingFiles) -> MeetingStatus:
    """Returns its part of `status --json`, as far as it can be known without an answer."""
    since = last_beat(files)
    return MeetingStatus(
        room=note.room,
        state=NOT_ANSWERING,
        pid=note.pid,
        since=None if since is None else _iso(since),
        silent_s=None if since is None else round(_ago(since), 1),
        error=ErrorStatus(code=TimedOutError.code, message=_why(note), hint=_hint(note)),
    )


def _why(note: MeetingNote) -> str:
    if is_stopped(note):
        return f"its supervisor (pid {note.pid}) is stopped, by SIGSTOP or Ctrl-Z"
    return f"its supervisor (pid {note.pid}) runs, but is too busy to answer or hangs"


def _hint(note: MeetingNote) -> str:
    end = f"meetctl down {note.room}, to end it"
    return f"kill -CONT {note.pid}, to let it go on; or {end}" if is_stopped(note) else f"wait a moment; or {end}"


def _iso(since: float) -> str:
    return datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")


def _ago(since: float) -> float:
    return max(0.0, time.time() - since)
