"""Keeps what children write: a file each, readable by its owner alone, and the last lines for when it fails.

Every line is masked by value before it is kept, so a child that prints its own key does not put it on disk.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from meetctl.protocol.secrets import Masker

LAST_LINES = 20
LAST_ERRORS = 3
"""What is shown of a child that does not get ready: the end of a traceback with the place that it names."""

MAX_LOG_BYTES = 5_000_000
LOG_FILES = 3
"""The newest and two older ones: a child that floods its stderr for a week takes 15 MB."""

RETRY_S = 10.0
"""After the disk was full: until it is tried again. What came in between is lost to the file."""


class ChildLog:
    """One seat's log file, and the end of it in memory. The file outlives the process and the meeting.

    A full file becomes `<name>.1`, the one before that `<name>.2`; what is older is gone.
    """

    def __init__(
        self,
        path: Path,
        mask: Masker,
        *,
        max_bytes: int = MAX_LOG_BYTES,
        broke: Callable[[str], None] = lambda why: None,
        mended: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        broke: told why the file can no longer be written, once each time that happens.
        mended: told when it can be again.
        """
        self.path = path
        self._broke = broke
        self._mended = mended
        self._clock = clock
        self._mask = mask
        self._max_bytes = max_bytes
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._last_errors: deque[str] = deque(maxlen=LAST_LINES)
        self._retry_at: float | None = None
        """While the file cannot be written: when to try again."""
        self._file: io.FileIO | None = None
        self._size = 0
        with contextlib.suppress(OSError):  # tried again with the first line, which tells of it
            self._open()

    def write(self, line: str, *, is_error: bool = False) -> None:
        """Keeps one line of the child's; a full disk costs the file, never the meeting.

        Args:
            is_error: it came on stderr.
        """
        line = self._mask(line.rstrip())
        self._last.append(line)
        if is_error:
            self._last_errors.append(line)
        self._keep(line)

    def note(self, line: str) -> None:
        """Keeps a line of our own about the child: in the file, and not among its last words."""
        self._keep(self._mask(line.rstrip()))

    def _keep(self, line: str) -> None:
        if self._retry_at is not None and self._clock() < self._retry_at:
            return
        entry = f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n".encode(errors="replace")
        try:
            if self._size and self._size + len(entry) > self._max_bytes:
                self._rotate()
            self._size += (self._file or self._open()).write(entry)
            was_broken, self._retry_at = self._retry_at is not None, None
            if was_broken:
                self._mended()
        except OSError as error:
            if self._retry_at is None:
                self._broke(error.strerror or str(error))
            self._retry_at = self._clock() + RETRY_S

    def last_lines(self) -> tuple[str, ...]:
        """Returns the child's newest lines, oldest first."""
        return tuple(self._last)

    def last_errors(self) -> tuple[str, ...]:
        """Returns the newest lines of its stderr, oldest first, without empty ones; of its stdout if it has none."""
        said = [line for line in self._last_errors if line.strip()] or [line for line in self._last if line.strip()]
        return tuple(said[-LAST_ERRORS:])

    def forget(self) -> None:
        """Empties the memory, not the file: a new process begins."""
        self._last.clear()
        self._last_errors.clear()

    def close(self) -> None:
        self._retry_at = math.inf
        self._shut()

    def _open(self) -> io.FileIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        # Unbuffered: each line is one write, so that who follows the file never sees half of one.
        self._file = io.FileIO(descriptor, "wb")
        self._size = os.fstat(descriptor).st_size
        return self._file

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def _rotate(self) -> None:
        self._shut()
        older = log_files(self.path)
        for newer, elder in zip(reversed(older[:-1]), reversed(older[1:]), strict=True):
            if newer.exists():
                newer.replace(elder)
        self._open()


def log_files(path: Path) -> list[Path]:
    """Returns the names of a log and its older parts, the newest first; they need not exist."""
    return [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, LOG_FILES))]
