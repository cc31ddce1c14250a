"""`meetctl down`: ends meetings and prints the proof. Ending what does not run is a quiet success."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import Any

import psutil

from meetctl.commands._meetings import find_meeting, running
from meetctl.display import console, lines
from meetctl.errors import BugError, MeetctlError, NotRunningError, TimedOutError
from meetctl.meeting.ending import Ending
from meetctl.supervisor.control import ask
from meetctl.supervisor.launcher import ProcessId
from meetctl.supervisor.registry import MeetingFiles, MeetingNote
from meetctl.supervisor.sweep import marked

SUPERVISOR_GONE_S = 8.0
"""After its answer it closes the page and lets the guard sweep."""
ANSWER_MARGIN_S = 15.0
"""Beyond the deadline for the children: forced kills, the room's deletion."""
TERM_S = 5.0
"""For a supervisor that does not answer to end in good order by SIGTERM: it may be its socket alone that is stuck."""
POLL_S = 0.02


def down(room: str | None, *, all_meetings: bool, timeout_s: float, as_json: bool) -> None:
    """Ends one meeting, or all; raises MeetctlError if anything could not be ended."""
    try:
        meetings = running() if all_meetings else [find_meeting(room, silent=True)]
    except NotRunningError:
        meetings = []
    endings = [asyncio.run(_end(note, files, timeout_s)) for note, files in meetings]
    if as_json:
        console.print_json({"schema_version": 1, "meetings": endings})
    else:
        for ending in endings:
            for line in lines.ending(ending):
                console.print_data(line)
        if not endings:
            console.talk("nothing is running")
    left = [pid for ending in endings for pid in ending["processes_left"]]
    undeleted = [ending["room"] for ending in endings if ending["own_room"] and not ending["room_deleted"]]
    if left:
        raise MeetctlError(
            f"still running: pids {', '.join(map(str, left))}", hint=f"kill -9 {' '.join(map(str, left))}"
        )
    if undeleted:
        raise MeetctlError(
            f"not deleted on the LiveKit server: room {', '.join(undeleted)}",
            hint="the server closes it when its timeout runs out; check that it is reachable",
        )


async def _end(note: MeetingNote, files: MeetingFiles, timeout_s: float) -> dict[str, Any]:
    supervisor = ProcessId(note.pid, note.start_time)
    if supervisor.is_stopped():  # it ends in good order as soon as it may go on
        os.kill(note.pid, signal.SIGCONT)
    before = marked(note.meeting)
    request = {"do": "down", "timeout_s": timeout_s}
    try:
        ending = await ask(files.socket, request, timeout_s=timeout_s + ANSWER_MARGIN_S)
    except NotRunningError:
        # It is still starting, and undoes what it has begun; or it was killed as we asked, and its guard sweeps.
        if was_there := supervisor.is_alive():
            _signal(supervisor, signal.SIGTERM)
        if was_there and await _gone(supervisor, timeout_s + ANSWER_MARGIN_S):
            ending = _without_proof(note, len(before), "it was just starting, and undid what it had begun", undone=True)
        else:
            ending = await _killed(supervisor, note, len(before))
    except (TimedOutError, BugError):
        _signal(supervisor, signal.SIGTERM)
        await _gone(supervisor, TERM_S)
        ending = await _killed(supervisor, note, len(before))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SUPERVISOR_GONE_S):
            while supervisor.is_alive() or marked(note.meeting):
                await asyncio.sleep(POLL_S)
    running()
    # The supervisor's own word is not taken for it: this is what the kernel says now.
    strays = {pid for pid in ending["processes_left"] if psutil.pid_exists(pid)}
    left = sorted(marked(note.meeting) | strays | ({note.pid} if supervisor.is_alive() else set()))
    return {**ending, "processes_left": left, "processes_ended": ending["processes_ended"] + 1}


def _signal(process: ProcessId, number: signal.Signals) -> None:
    if process.is_alive():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


async def _gone(process: ProcessId, timeout_s: float) -> bool:
    """Returns whether the process has ended within that time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while process.is_alive():
                await asyncio.sleep(POLL_S)
    return not process.is_alive()


async def _killed(supervisor: ProcessId, note: MeetingNote, processes: int) -> dict[str, Any]:
    """Kills a supervisor that neither answered nor left; one that has left meanwhile needs nothing."""
    if not supervisor.is_alive():
        return _without_proof(note, processes, "its supervisor ended without an answer")
    _signal(supervisor, signal.SIGKILL)
    return _without_proof(note, processes, "its supervisor did not answer and was killed")


def _without_proof(note: MeetingNote, processes: int, reason: str, *, undone: bool = False) -> dict[str, Any]:
    """Returns the proof of a meeting whose supervisor could not give one."""
    ending = Ending(
        room=note.room,
        processes_ended=processes,
        processes_left=(),
        own_room=None,
        room_deleted=False,
        avatar_sessions_closed=0,
        avatars_killed=(),
        seconds=0.0,
        reason=reason,
        undone=undone,
    )
    return ending.as_dict()
