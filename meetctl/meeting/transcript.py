"""The meeting's words: kept in memory for agents that come back, and on disk as they are said.

The file is `transcript.jsonl` in the meeting's log directory, one `Line` a line, readable by its owner alone. It is
written by the supervisor, so a chair that dies takes none of it along.
"""

from __future__ import annotations

import os
from pathlib import Path

from meetctl.protocol import Line

FILE_NAME = "transcript.jsonl"
MEMORY_LINES = 200
"""Far more than any agent is handed."""


class Transcript:
    """Appends lines; a full disk costs the file, never the meeting."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[str, Line] = {}
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.broken: str | None = None
        """Why the file is no longer written; None = it is."""

    def add(self, line: Line) -> None:
        """Keeps one line; one with the id of an earlier line takes its place, on disk it follows it."""
        self._lines[line.id] = line
        while len(self._lines) > MEMORY_LINES:
            del self._lines[next(iter(self._lines))]
        if self.broken is not None:
            return
        try:
            os.write(self._descriptor, line.model_dump_json().encode() + b"\n")
        except OSError as error:
            self.broken = str(error)

    def lines(self) -> tuple[Line, ...]:
        """Returns the newest lines, oldest first."""
        return tuple(self._lines.values())

    def close(self) -> None:
        os.close(self._descriptor)
