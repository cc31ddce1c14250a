"""The supervisor's side of the guard: starts it, tells it which groups live, starts it again should it be killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from meetctl.supervisor.descendants import ours

FINISH_S = 6.0
"""Its own sweep is bounded by about four seconds."""
LOOK_S = 1.0
"""How often it is looked at where the kernel gives no pidfd (macOS), and the least time from one start to the next."""


class GuardClient:
    """Keeps one guard process alive and informed. See `guard.py` for what it does at the end."""

    def __init__(self, meeting: str, files: tuple[Path, ...], note: Path | None = None) -> None:
        self._meeting = meeting
        self._files = files
        self._note = note
        self._groups: set[int] = set()
        self._strays: dict[int, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Starts it, in a running loop; raises OSError where no process can be started."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "meetctl.supervisor.guard", self._meeting],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ours.add(self._process.pid)
        for path in self._files:
            self._tell(f"file {path}")
        if self._note is not None:
            self._tell(f"note {self._note}")
        for group in self._groups:
            self._tell(f"group {group}")
        for pid, start in self._strays.items():
            self._tell(f"stray {pid} {start}")
        self._watch(self._process)

    def add(self, group: int) -> None:
        """Tells the guard that a process group lives; a guard that was killed is replaced first."""
        self._groups.add(group)
        if not self._tell(f"group {group}"):
            self._restart()

    def add_strays(self, strays: Mapping[int, str]) -> None:
        """Tells the guard what a child left behind: pids with their starts."""
        for pid, start in strays.items():
            if self._strays.get(pid) != start:
                self._strays[pid] = start
                self._tell(f"stray {pid} {start}")

    def remove(self, group: int) -> None:
        """Tells the guard that the group is gone: its number may soon be somebody else's."""
        self._groups.discard(group)
        if not self._tell(f"ungroup {group}"):
            self._restart()

    async def finish(self) -> None:
        """Lets the guard sweep and waits for it."""
        process = self._process
        if process is None:
            return
        self._unwatch()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, FINISH_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _tell(self, line: str) -> bool:
        if self._process is None or self._process.poll() is not None:
            return False
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(os.fsencode(line) + b"\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Replaces it as soon as it is gone: were the supervisor killed next, nobody would end the meeting."""
        loop = asyncio.get_running_loop()
        try:
            self._pidfd = os.pidfd_open(process.pid)
        except (AttributeError, OSError):
            self._timer = loop.call_later(LOOK_S, self._look)
        else:
            loop.add_reader(self._pidfd, self._on_end)

    def _on_end(self) -> None:
        self._unwatch()
        # A moment later, so that one that cannot start keeps nobody busy; whoever has news for it is not as patient.
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._restart()
        else:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _unwatch(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _restart(self) -> None:
        # Only where there was one: after `finish` nobody is left to be guarded.
        if self._process is not None:
            self._unwatch()
            assert self._process.stdin is not None
            self._process.kill()  # before its stdin ends: that is its signal to sweep
            self._process.wait()
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self.start()
