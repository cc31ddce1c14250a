"""What is left of a meeting beside the one under attack: nothing, or it is said."""

from __future__ import annotations

import contextlib
from pathlib import Path

from meetctl.supervisor.sweep import MEETING_VARIABLE
from testing.fixtures.command import Meetctl

from .house import until


def processes_of(meetctl: Meetctl, room: str) -> set[int]:
    """Returns the processes of whatever meeting of that room, in this world."""
    mark = f"{MEETING_VARIABLE}={room}-".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "environ").read_bytes().split(b"\0")
            if any(word.startswith(mark) for word in words) and _is_of(meetctl, words):
                found.add(int(entry.name))
    return found


def _is_of(meetctl: Meetctl, words: list[bytes]) -> bool:
    return f"XDG_RUNTIME_DIR={meetctl.environment['XDG_RUNTIME_DIR']}".encode() in words


async def nothing_of(meetctl: Meetctl, room: str) -> None:
    """Waits until nothing of that room's meeting is left."""

    def is_gone() -> bool:
        files = {path.name for path in meetctl.runtime_dir.iterdir() if path.name.startswith(f"{room}.")}
        return files <= {f"{room}.lock"} and not processes_of(meetctl, room)

    await until(is_gone, f"something of {room} is left")
