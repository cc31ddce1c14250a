"""Keeps what children write: a file each, readable by its owner alone, and the last lines for when it fails.

Every line is masked by value before it is kept, so a child that prints its own key does not put it on disk.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

LAST_LINES = 20
MASK = "•••"

MIN_SECRET_LENGTH = 6
"""Shorter values would mask ordinary words."""


class Masker:
    """Replaces every known secret in a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Learns further secrets; the longest are replaced first, since one may contain another."""
        known = {*self._secrets, *(secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH)}
        self._secrets = sorted(known, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


class ChildLog:
    """One seat's log file, and the end of it in memory. The file outlives the process and the meeting."""

    def __init__(self, path: Path, mask: Masker) -> None:
        self.path = path
        self._mask = mask
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", buffering=1)
        self._broken = False

    def write(self, line: str) -> None:
        """Keeps one line; a full disk costs the file, never the meeting."""
        line = self._mask(line.rstrip())
        self._last.append(line)
        if self._broken:
            return
        try:
            self._file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {line}\n")
        except OSError:
            self._broken = True

    def last_lines(self) -> tuple[str, ...]:
        """Returns the newest lines, oldest first."""
        return tuple(self._last)

    def forget(self) -> None:
        """Empties the memory, not the file: a new process begins."""
        self._last.clear()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError:
            self._broken = True
