"""The meeting's words: kept in memory for agents that come back, and on disk as they are said.

The files are `transcript.jsonl`, `.md` and `.vtt` in the meeting's log directory. They are written by the supervisor,
so a chair that dies takes none of it along; each holds every line so far, whoever is killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from meetctl.meeting.transcript_files import AppendedFile, OrderedFile
from meetctl.meeting.transcript_forms import markdown, markdown_head, record_of, vtt, vtt_head
from meetctl.protocol import FloorDecided, Line
from meetctl.roster import TranscriptMode

FILE_NAME = "transcript.jsonl"
MARKDOWN_NAME = "transcript.md"
VTT_NAME = "transcript.vtt"
MEMORY_LINES = 200
"""Far more than any agent is handed."""


class Transcript:
    """Takes what is said, and keeps of it what the roster allows."""

    def __init__(self, directory: Path, mode: TranscriptMode, *, room: str, topic: str | None) -> None:
        self.mode = mode
        self._lines: dict[str, Line] = {}
        self._latencies: dict[str, Mapping[str, float]] = {}
        self._decided: dict[str, FloorDecided] = {}
        self._files = _Files(directory, room, topic) if mode is TranscriptMode.FILES else None

    @property
    def broken(self) -> str | None:
        """Returns why the last line could not be written; None = it was."""
        return self._files.broken if self._files else None

    def add(self, line: Line) -> None:
        """Keeps one line; one with the id of an earlier line takes its place."""
        if self.mode is TranscriptMode.OFF:
            return
        self._lines[line.id] = line
        while len(self._lines) > MEMORY_LINES:
            oldest = next(iter(self._lines))
            del self._lines[oldest]
            self._latencies.pop(oldest, None)
            self._decided.pop(oldest, None)
        if self._files is not None:
            self._files.write(line, self._latencies.get(line.id), self._decided.get(line.id))

    def add_decision(self, decided: FloorDecided) -> None:
        """Keeps for whom a line is meant that is about to be added."""
        if self.mode is not TranscriptMode.OFF:
            self._decided[decided.line_id] = decided

    def add_latency(self, identity: str, line_id: str | None, stages_ms: Mapping[str, float]) -> None:
        """Keeps how long it took until a line was heard; without an id, until the last line of that identity."""
        line = self._lines.get(line_id) if line_id else self._last_of(identity)
        if line is None or line.identity != identity:
            return
        self._latencies[line.id] = stages_ms
        if self._files is not None:
            self._files.write(line, stages_ms, self._decided.get(line.id))

    def lines(self) -> tuple[Line, ...]:
        """Returns the newest lines, oldest first."""
        return tuple(self._lines.values())

    def close(self) -> None:
        if self._files is not None:
            self._files.close()

    def _last_of(self, identity: str) -> Line | None:
        return next((line for line in reversed(self._lines.values()) if line.identity == identity), None)


class _Files:
    """The three files of one meeting."""

    def __init__(self, directory: Path, room: str, topic: str | None) -> None:
        self.broken: str | None = None
        self._began_at = time.time()
        self._records = AppendedFile(directory / FILE_NAME)
        self._markdown = OrderedFile(directory / MARKDOWN_NAME, markdown_head(room, topic, self._began_at))
        self._vtt = OrderedFile(directory / VTT_NAME, vtt_head(room, self._began_at))

    def write(self, line: Line, latency_ms: Mapping[str, float] | None, decided: FloorDecided | None) -> None:
        record = json.dumps(record_of(line, latency_ms, decided), ensure_ascii=False)
        failures = (
            self._records.add(record.encode(errors="replace") + b"\n"),
            self._markdown.put(line.id, line.at, markdown(line)),
            self._vtt.put(line.id, line.at, vtt(line, self._began_at)),
        )
        self.broken = next((why for why in failures if why is not None), None)

    def close(self) -> None:
        for file in (self._records, self._markdown, self._vtt):
            file.close()
