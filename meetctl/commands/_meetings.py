"""What several commands share: finding the one meeting that is meant."""

from __future__ import annotations

from meetctl.errors import NotRunningError, UsageError
from meetctl.settings import runtime_dir
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, running


def find_meeting(room: str | None) -> tuple[MeetingNote, MeetingFiles]:
    """Returns the running meeting of that name, or the only one.

    Raises:
        NotRunningError: if there is none.
        UsageError: if several run and none is named.
    """
    meetings = running(runtime_dir())
    if room is not None:
        for note, files in meetings:
            if note.room == room:
                return note, files
        others = f"; running: {', '.join(note.room for note, _ in meetings)}" if meetings else ""
        raise NotRunningError(f"no meeting named {room} runs on this machine{others}", hint="meetctl status")
    if not meetings:
        raise NotRunningError("no meeting runs on this machine", hint="meetctl up configs/demo.yaml")
    if len(meetings) > 1:
        names = ", ".join(note.room for note, _ in meetings)
        raise UsageError(f"several meetings run: {names}", hint="name one of them, or use --all where there is such")
    return meetings[0]
