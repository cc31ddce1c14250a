"""`meetctl status`: every meeting on this machine, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import time

from meetctl.commands._meetings import find_meeting, running
from meetctl.commands._silence import is_stopped, silent_status
from meetctl.display import console
from meetctl.errors import MeetctlError, TimedOutError
from meetctl.status.document import ErrorStatus, MeetingStatus, StatusDocument, parse_meeting
from meetctl.supervisor.control import ask
from meetctl.supervisor.registry import MeetingFiles, MeetingNote

WATCH_S = 1.0


def status(room: str | None, *, as_json: bool, watch: bool) -> None:
    """Prints the status of one meeting or of all; with `watch`, again and again until interrupted."""
    if watch:
        with contextlib.suppress(KeyboardInterrupt), console.live(as_json=as_json) as show:
            while True:
                show(asyncio.run(collect(room)))
                time.sleep(WATCH_S)
    console.print_status(asyncio.run(collect(room)), as_json=as_json)


async def collect(room: str | None) -> StatusDocument:
    """Returns what every meeting's supervisor says of it.

    Raises:
        NotRunningError: if a room is named and no such meeting runs.
    """
    meetings = [find_meeting(room, silent=True)] if room is not None else running()
    return StatusDocument(meetings=tuple(await asyncio.gather(*(_state_of(*meeting) for meeting in meetings))))


async def _state_of(note: MeetingNote, files: MeetingFiles) -> MeetingStatus:
    if is_stopped(note):
        return silent_status(note, files)
    try:
        return parse_meeting(await ask(files.socket, {"do": "status"}))
    except TimedOutError:
        return silent_status(note, files)
    except MeetctlError as error:
        # It is just starting or just ending; what is known of it is shown.
        told = ErrorStatus(code=error.code, message=error.message, hint=error.hint)
        return MeetingStatus(room=note.room, state="starting", pid=note.pid, error=told)
