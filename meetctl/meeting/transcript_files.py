"""Files that are whole at any moment: one that only grows, and one that is kept in order. Readable by the owner alone.

A full disk costs the file, never the meeting: what could not be written is kept and tried again with the next line.
"""

from __future__ import annotations

import bisect
import contextlib
import os
from pathlib import Path

MAX_WAITING_BYTES = 1_000_000
"""Of lines that found no room on the disk; hours of talk."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


class AppendedFile:
    """Grows by whole lines, each in one write: whoever is killed leaves no half of one."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, _NEW, 0o600)
        self._waiting = b""

    def add(self, line: bytes) -> str | None:
        """Writes one line, its end included; returns why it could not, None where it could."""
        if len(self._waiting) + len(line) <= MAX_WAITING_BYTES:
            self._waiting += line
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._descriptor, self._waiting) :]
        except OSError as error:
            return error.strerror or str(error)
        return None

    def close(self) -> None:
        os.close(self._descriptor)


class OrderedFile:
    """Holds entries in the order of their times. One that comes last is appended; one that comes late, or takes the
    place of another, makes a new file that replaces the old one at once."""

    def __init__(self, path: Path, head: str) -> None:
        self._path = path
        self._head = head.encode()
        self._order: list[tuple[float, str]] = []
        self._texts: dict[str, bytes] = {}
        self._file = AppendedFile(path)
        self._is_behind = self._file.add(self._head) is not None

    def put(self, key: str, at: float, text: str) -> str | None:
        """Writes one entry, in place of an earlier one of that key; returns why it could not."""
        written = text.encode()
        if self._texts.get(key) == written and not self._is_behind:
            return None
        is_next = key not in self._texts and (not self._order or self._order[-1][0] <= at)
        if key not in self._texts:
            bisect.insort(self._order, (at, key), key=lambda entry: entry[0])
        self._texts[key] = written
        if is_next and not self._is_behind:
            why = self._file.add(written)
        else:
            why = self._write_anew()
        self._is_behind = why is not None
        return why

    def close(self) -> None:
        self._file.close()

    def _write_anew(self) -> str | None:
        beside = self._path.with_name(f".{self._path.name}.new")
        try:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            fresh = AppendedFile(beside)
        except OSError as error:
            return error.strerror or str(error)
        why = fresh.add(self._head + b"".join(self._texts[key] for _, key in self._order))
        if why is None:
            try:
                beside.replace(self._path)
            except OSError as error:
                why = error.strerror or str(error)
        if why is not None:
            fresh.close()
            beside.unlink(missing_ok=True)
            return why
        self._file.close()
        self._file = fresh
        return None
