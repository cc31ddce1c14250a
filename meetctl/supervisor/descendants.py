"""What the children of a meeting leave behind without its mark: a daemon with a session and an environment of its own.

On Linux a process can have every orphan among its descendants become its own child. The supervisor does, so whatever a
`command:` starts and forgets is found here when its parent has gone, however it was started. Elsewhere only the mark
and the process groups are there to go by.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from meetctl.supervisor.sweep import start_of

_PR_SET_CHILD_SUBREAPER = 36
OPENED_VARIABLE = "MEETCTL_OPENED"
"""Marks what was opened for a person and is theirs to close: a browser."""

TERM_S = 1.0
"""From SIGTERM to SIGKILL."""
KILL_S = 2.0
POLL_S = 0.02

ours: set[int] = set()
"""Pids of the children that some owner here waits for: nobody else may."""


_adopts = False


def adopt_orphans() -> bool:
    """Has the orphans among this process's descendants become its children from now on; returns whether that works.

    Until it was called, nothing here takes any child for an orphan.
    """
    global _adopts
    with contextlib.suppress(AttributeError, OSError):
        _adopts = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    return _adopts


def strays() -> dict[int, str]:
    """Returns the adopted orphans, and what these have started, each with its start; nobody waits for them."""
    found = {pid: start for pid in _orphans() if (start := start_of(pid)) is not None}
    return found | {pid: start for pid in _below(found) if (start := start_of(pid)) is not None}


def reap() -> None:
    """Takes leave of the adopted orphans that have ended: they would stay as zombies."""
    for pid in _orphans():
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


async def end_strays() -> tuple[int, frozenset[int]]:
    """Ends the adopted orphans, and what these leave behind in turn; returns how many, and who could not be ended."""
    seen: set[int] = set()
    for number, seconds in ((signal.SIGTERM, TERM_S), (signal.SIGKILL, KILL_S)):
        until = time.monotonic() + seconds
        told: set[int] = set()
        while (found := strays()) and time.monotonic() < until:
            _signal({pid: start for pid, start in found.items() if pid not in told}, number)
            told |= set(found)
            seen |= told
            await asyncio.sleep(POLL_S)
            reap()
    reap()
    left = frozenset(strays())
    return len(seen - left), left


def _signal(pids: dict[int, str], number: signal.Signals) -> None:
    for pid, start in pids.items():
        if start_of(pid) == start:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _orphans() -> Iterator[int]:
    if not _adopts:
        return
    own_session = os.getsid(0)
    for pid in _children(os.getpid()):
        # What a library here starts, and waits for, stays in our session; a seat has one of its own, and so has all
        # that comes of it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if pid not in ours and os.getsid(pid) != own_session and not _was_opened(pid):
                yield pid


def _below(pids: dict[int, str]) -> Iterator[int]:
    waiting = list(pids)
    while waiting:
        for child in _children(waiting.pop()):
            yield child
            waiting.append(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text(encoding="utf-8").split())
    return found


def _was_opened(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return f"{OPENED_VARIABLE}=1".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False
