"""`meetctl attach`: the board of a meeting that runs elsewhere. Leaving it leaves the meeting running."""

from __future__ import annotations

import asyncio
import contextlib

from meetctl.commands._meetings import find_meeting
from meetctl.commands._silence import silent_status
from meetctl.display import console
from meetctl.display.keys import on_key
from meetctl.errors import NotRunningError, TimedOutError
from meetctl.status.document import StatusDocument, parse_meeting
from meetctl.supervisor.control import ask
from meetctl.supervisor.registry import MeetingFiles, MeetingNote

REFRESH_S = 0.5
LEAVE_KEY = "q"


def attach(room: str | None) -> None:
    """Shows the meeting until it ends, `q` or Ctrl-C."""
    note, files = find_meeting(room)
    try:
        ended = asyncio.run(_watch(note, files))
    except KeyboardInterrupt:
        ended = False
    console.talk(
        f"{note.room} has ended" if ended else f"{note.room} keeps running; end it with: meetctl down {note.room}"
    )


async def _watch(note: MeetingNote, files: MeetingFiles) -> bool:
    """Returns True when the meeting has ended, False when the person has seen enough."""
    enough = asyncio.Event()
    with on_key(LEAVE_KEY, enough.set) as has_keyboard:
        if has_keyboard:
            console.talk(f"{LEAVE_KEY} leaves the board, {note.room} keeps running")
        with console.live() as show:
            while not enough.is_set():
                try:
                    answer = await ask(files.socket, {"do": "status"})
                    show(StatusDocument(meetings=(parse_meeting(answer),)))
                except NotRunningError:
                    show(StatusDocument())
                    return True
                except TimedOutError:
                    show(StatusDocument(meetings=(silent_status(note, files),)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(REFRESH_S):
                        await enough.wait()
    return False
