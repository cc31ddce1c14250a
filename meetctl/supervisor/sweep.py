"""Finds and ends what is left of a meeting: process groups, and on Linux every process that carries its mark.

Standard library only, and nothing of meetctl: the guard runs this with almost nothing loaded.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

MEETING_VARIABLE = "MEETCTL_MEETING"
"""Environment variable that marks every process of a meeting, whatever session it has moved to."""

_POLL_S = 0.02


def marked(meeting: str) -> set[int]:
    """Returns the pids whose environment carries this meeting's mark; empty where there is no /proc."""
    mark = f"{MEETING_VARIABLE}={meeting}".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        # A process may end, or belong to somebody else, at any moment; a zombie's environment is empty.
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found - {os.getpid()}


def start_of(pid: int) -> str | None:
    """Returns when the process was started, in the kernel's own ticks; None where there is none, or only a zombie."""
    with contextlib.suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    return None


def descendants_of(groups: Iterable[int]) -> dict[int, str]:
    """Returns whoever has a member of these groups among its ancestors and is in none of them, each with its start."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(entry.name)] = int(fields[1]), int(fields[2])
    groups = set(groups)
    below = {pid for pid, (_, group) in parents.items() if group in groups}
    while more := {pid for pid, (parent, _) in parents.items() if parent in below} - below:
        below |= more
    outside = {pid for pid in below if parents[pid][1] not in groups}
    return {pid: start for pid in outside if (start := start_of(pid)) is not None}


def group_exists(group: int) -> bool:
    """Returns whether anybody, zombies aside, is left in the process group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    members = [entry for entry in Path("/proc").glob("[0-9]*/stat") if _group_of_living(entry) == group]
    return bool(members) if Path("/proc/self/stat").exists() else True


def end_all(groups: Iterable[int], meeting: str, *, grace_s: float) -> set[int]:
    """Ends the groups and all marked processes: SIGTERM, then SIGKILL after the grace period.

    Returns the pids (and leaders of groups) that are still there, which is nothing unless the kernel holds them.
    """
    groups = set(groups)
    _signal(groups, meeting, signal.SIGTERM)
    _wait_gone(groups, meeting, grace_s)
    _signal(groups, meeting, signal.SIGKILL)
    _wait_gone(groups, meeting, 2.0)
    return remaining(groups, meeting)


def remaining(groups: Iterable[int], meeting: str) -> set[int]:
    """Returns what still lives of these groups and of the meeting."""
    return {group for group in groups if group_exists(group)} | marked(meeting)


def _signal(groups: set[int], meeting: str, number: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for pid in marked(meeting):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _wait_gone(groups: set[int], meeting: str, timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while remaining(groups, meeting) and time.monotonic() < until:
        time.sleep(_POLL_S)


def _group_of_living(stat: Path) -> int | None:
    try:
        # The second field is the command in parentheses and may hold anything, spaces and parentheses included.
        state, _parent, group = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)
