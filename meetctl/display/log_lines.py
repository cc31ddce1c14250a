"""Lines of logs and transcripts as a person reads them: time, who, what. Pure: texts in, texts out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)
"""SGR codes, in the order in which seats get them: neighbours are told apart."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")


class LogLines:
    """Formats lines of several seats: names of one width, and a colour each where there are colours."""

    def __init__(self, seats: Sequence[str], *, colours: bool) -> None:
        self._seats = list(seats)
        self._colours = colours

    def line(self, at: datetime, seat: str, text: str) -> str:
        """Returns one line; times are the reader's own."""
        if seat not in self._seats:
            self._seats.append(seat)
        width = max(len(name) for name in self._seats)
        prefix = f"{at.astimezone():%H:%M:%S}.{at.microsecond // 1000:03} {seat:{width}} |"
        if self._colours:
            prefix = f"\x1b[{COLOURS[self._seats.index(seat) % len(COLOURS)]}m{prefix}\x1b[0m"
        return f"{prefix} {without_controls(text)}".rstrip()


def spoken_line(at: datetime, speaker: str | None, text: str, *, interrupted: bool) -> str:
    """Returns one line of the transcript; what was cut off ends in a dash. Without a speaker it is a fact."""
    words = without_controls(text) + (" —" if interrupted else "")
    return f"{at.astimezone():%H:%M:%S} " + (f"{without_controls(speaker)}: {words}" if speaker else f"* {words}")


def without_controls(text: str) -> str:
    """Returns the text without anything that a terminal would obey: others wrote it."""
    plain = _ESCAPES.sub("", text).replace("\t", "    ")
    return "".join(c if c.isprintable() else " " if c.isspace() else "" for c in plain)
