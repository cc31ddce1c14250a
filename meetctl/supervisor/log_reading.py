"""Reads what `logs.py` writes, also while it is being written: the older parts first, then what is added.

Reads only; a file that is turned over meanwhile is read to its end before the next.
"""

from __future__ import annotations

import contextlib
import heapq
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from meetctl.supervisor.logs import log_files

SUFFIX = ".log"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a seat's process wrote, or that was written of it."""

    at: datetime
    seat: str
    text: str


class Tail:
    """Gives the whole lines of a growing file, each once; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._half = b""

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def read(self) -> list[str]:
        """Returns the lines since the last time, at first all there are; none where there is no file."""
        if self._file is not None and not self._is_turned_over():
            return self._lines_of(self._file)
        lines: list[str] = []
        for file in self._open_parts():
            if self._file is not None:
                lines += self._lines_of(self._file)
                self._file.close()
            self._file = file
        return lines + (self._lines_of(self._file) if self._file is not None else [])

    def _is_turned_over(self) -> bool:
        assert self._file is not None
        with contextlib.suppress(FileNotFoundError):
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        return False

    def _open_parts(self) -> list[BinaryIO]:
        """Returns the parts that are newer than the one being read, the oldest first.

        They are opened newest first: one that is turned over meanwhile is met again under its next name, not missed.
        """
        reading = os.fstat(self._file.fileno()).st_ino if self._file is not None else None
        parts: dict[int, BinaryIO] = {}
        for path in log_files(self._path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            number = os.fstat(file.fileno()).st_ino
            if number == reading or number in parts:
                file.close()
            else:
                parts[number] = file
            if number == reading:
                break
        return list(parts.values())[::-1]

    def _lines_of(self, file: BinaryIO) -> list[str]:
        *whole, self._half = (self._half + file.read()).split(b"\n")
        return [line.decode(errors="replace") for line in whole]


class SeatLogs:
    """The logs of some seats of one meeting, merged by time; a context manager.

    Args:
        seats: whose; None = everybody's, those that are added later too.
    """

    def __init__(self, directory: Path, seats: Iterable[str] | None = None) -> None:
        self._directory = directory
        self._seats = None if seats is None else list(seats)
        self._stack = contextlib.ExitStack()
        self._tails: dict[str, Tail] = {}

    def __enter__(self) -> SeatLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self) -> list[LogLine]:
        """Returns the lines since the last time, the oldest first; at first all there are."""
        for seat in seats_in(self._directory) if self._seats is None else self._seats:
            if seat not in self._tails:
                self._tails[seat] = self._stack.enter_context(Tail(self._directory / f"{seat}{SUFFIX}"))
        seats = (_parsed(seat, tail.read()) for seat, tail in self._tails.items())
        return list(heapq.merge(*seats, key=lambda line: line.at))


def seats_in(directory: Path) -> list[str]:
    """Returns the seats that have a log in a meeting's directory, by name."""
    return sorted(path.name.removesuffix(SUFFIX) for path in directory.glob(f"*{SUFFIX}"))


def _parsed(seat: str, lines: Iterable[str]) -> list[LogLine]:
    found: list[LogLine] = []
    at = datetime.fromtimestamp(0, UTC)
    for line in lines:
        start, _, text = line.partition(" ")
        try:
            at = datetime.fromisoformat(start)
        except ValueError:
            text = line  # what somebody else wrote into the file belongs to the line before
        found.append(LogLine(at, seat, text))
    # The clock may have been set back meanwhile; merging needs each seat's lines in order.
    return sorted(found, key=lambda line: line.at)
