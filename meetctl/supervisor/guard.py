"""Outlives the supervisor by a moment: when its pipe closes, it ends every process and file that the meeting left.

One per meeting. livekit-server and `command:` children do not watch their stdin, so a supervisor killed with SIGKILL
needs somebody to end them. On stdin it reads `group PGID`, `ungroup PGID`, `stray PID START` (what a child left behind
without the meeting's mark), `file PATH` (removed first) and `note PATH` (removed when nothing is left; until then it
tells the next command what to end); end of file is the signal.
Run as `python -m meetctl.supervisor.guard MEETING`; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from meetctl.supervisor.sweep import descendants_of, end_all, start_of

LEAVE_S = 0.7
"""Built-in programs notice the end of their own stdin and leave the room by themselves in this time."""
TERM_S = 0.8
"""From SIGTERM to SIGKILL; with the time above everything is gone well within three seconds."""


def main(meeting: str) -> int:
    """Guards until standard input ends, then sweeps; returns 0 when nothing is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    files: list[str] = []
    notes: list[str] = []
    strays: dict[int, str] = {}
    for line in sys.stdin.buffer:
        verb, _, value = os.fsdecode(line.rstrip(b"\n")).partition(" ")  # a path is bytes; no locale has a say in it
        if verb == "group":
            groups.add(int(value))
        elif verb == "ungroup":
            groups.discard(int(value))
        elif verb == "file":
            files.append(value)
        elif verb == "stray":
            pid, _, start = value.partition(" ")
            strays[int(pid)] = start
        elif verb == "note":
            notes.append(value)
    strays |= descendants_of(groups)  # while their parents are there to tell of them
    for path in files:  # one of them holds the server's secret, so they go first
        with contextlib.suppress(OSError):
            os.unlink(path)
    if groups:
        _wait_for_leaving(groups, meeting)
    _signal(strays, signal.SIGTERM)
    left = end_all(groups, meeting, grace_s=TERM_S)
    _signal(strays, signal.SIGKILL)
    if left:
        return 1
    for path in notes:
        with contextlib.suppress(OSError):
            os.unlink(path)
    return 0


def _signal(strays: dict[int, str], number: signal.Signals) -> None:
    for pid, start in strays.items():
        with contextlib.suppress(OSError):
            if start_of(pid) == start:
                os.kill(pid, number)


def _wait_for_leaving(groups: set[int], meeting: str) -> None:
    import time

    from meetctl.supervisor.sweep import remaining

    until = time.monotonic() + LEAVE_S
    while time.monotonic() < until and remaining(groups, meeting):
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
