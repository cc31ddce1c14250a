"""`meetctl status`: every meeting on this machine, as its supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from meetctl.commands._meetings import find_meeting, running
from meetctl.commands._silence import is_stopped, silent_document
from meetctl.display import console
from meetctl.errors import MeetctlError, TimedOutError
from meetctl.status.build import status_document
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
    document = asyncio.run(collect(room))
    if as_json:
        console.print_json(document)
    else:
        console.print_status(document)


async def collect(room: str | None) -> dict[str, Any]:
    """Returns the document of `status --json`.

    Raises:
        NotRunningError: if a room is named and no such meeting runs.
    """
    meetings = [find_meeting(room, silent=True)] if room is not None else running()
    return status_document(await asyncio.gather(*(_state_of(note, files) for note, files in meetings)))


async def _state_of(note: MeetingNote, files: MeetingFiles) -> dict[str, Any]:
    if is_stopped(note):
        return silent_document(note, files)
    try:
        return await ask(files.socket, {"do": "status"})
    except TimedOutError:
        return silent_document(note, files)
    except MeetctlError as error:
        # It is just starting or just ending; what is known of it is shown.
        return {"room": note.room, "state": "starting", "pid": note.pid, "error": error.as_dict()}
