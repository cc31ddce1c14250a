"""Cuts a stream of bytes into lines, whatever the chunks, and never keeps more than one line's worth. No I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line beyond the limit; its text was dropped."""

    length: int


class LineSplitter:
    """Takes chunks, gives whole lines without their newline.

    Args:
        limit: bytes; a longer line is dropped and reported once as `TooLong`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> list[bytes | TooLong]:
        """Returns the lines that this chunk completes."""
        *whole, rest = chunk.split(b"\n")
        lines = [self._complete(part) for part in whole]
        self._keep(rest)
        return lines

    def end(self) -> list[bytes | TooLong]:
        """Returns the last line if it had no newline."""
        return [self._complete(b"")] if self._rest or self._dropped else []

    def _complete(self, part: bytes) -> bytes | TooLong:
        self._keep(part)
        length = self._dropped + len(self._rest)
        line: bytes | TooLong = TooLong(length) if self._dropped else bytes(self._rest)
        self._rest.clear()
        self._dropped = 0
        return line

    def _keep(self, part: bytes) -> None:
        if self._dropped or len(self._rest) + len(part) > self._limit:
            self._dropped += len(self._rest) + len(part)
            self._rest.clear()
        else:
            self._rest += part
