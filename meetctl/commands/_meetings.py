"""What several commands share: finding the one meeting that is meant, and waiting for its agents."""

from __future__ import annotations

import asyncio

from meetctl.commands._silence import is_stopped, not_answering
from meetctl.display import console
from meetctl.errors import NotRunningError, UsageError
from meetctl.settings import runtime_dir, runtime_path
from meetctl.supervisor import registry
from meetctl.supervisor.control import ask
from meetctl.supervisor.registry import Leftover, MeetingFiles, MeetingNote

WAIT_MARGIN_S = 5.0
"""For the answer itself, beyond the time it may wait."""


def running(*, only_look: bool = False) -> list[tuple[MeetingNote, MeetingFiles]]:
    """Returns the meetings of this machine; what dead ones left is ended and told about, unless it only looks."""
    if only_look:
        return registry.running(runtime_path(), clean=False)
    return registry.running(runtime_dir(), cleaned=_tell_of)


def _tell_of(leftover: Leftover) -> None:
    what = f"{leftover.room}: its supervisor and guard were killed; ended {leftover.ended} of its processes"
    left = f"; still running: pids {', '.join(map(str, leftover.left))}" if leftover.left else ""
    console.talk(what + left)


def find_meeting(
    room: str | None, *, only_look: bool = False, silent: bool = False
) -> tuple[MeetingNote, MeetingFiles]:
    """Returns the running meeting of that name, or the only one.

    Args:
        silent: also one whose supervisor is stopped, which answers nothing.

    Raises:
        NotRunningError: if there is none.
        UsageError: if several run and none is named.
        TimedOutError: if its supervisor is stopped.
    """
    note, files = _named(room, only_look=only_look)
    if not silent and is_stopped(note):
        raise not_answering(note, files)
    return note, files


def _named(room: str | None, *, only_look: bool) -> tuple[MeetingNote, MeetingFiles]:
    meetings = running(only_look=only_look)
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


def is_running(room: str, *, only_look: bool = False) -> bool:
    """Returns whether a meeting of that name runs; the lock has the last word, this only says it sooner."""
    return any(note.room == room for note, _ in running(only_look=only_look))


def wait_for_agents(room: str, timeout_s: float, seats: list[str] | None = None) -> None:
    """Waits until agents are ready; raises TimedOutError or AgentFailed. Degraded ones are told about."""
    _, files = find_meeting(room)
    request = {"do": "wait", "seats": seats, "timeout_s": timeout_s}
    document = asyncio.run(ask(files.socket, request, timeout_s=timeout_s + WAIT_MARGIN_S))
    for agent in document["agents"]:
        if agent["state"] == "degraded":
            console.talk(f"warning: {agent['name']} is degraded: {agent['last_error']}")
