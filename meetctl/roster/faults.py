"""What is wrong with a roster: one fault, and the error that carries them all. No I/O, no schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from meetctl.errors import RosterError
from meetctl.roster.streams import is_stream, shown

KeyPath = tuple[str | int, ...]
"""Where in the document: `("agents", 1, "face")`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend in the file, or around it."""

    line: int | None
    path: KeyPath
    message: str
    hint: str | None = None
    around: bool = False
    """True where the file is right and its surroundings are not: an unset variable, a missing key or env_file."""
    column: int | None = None


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """Why a file that a roster names will not do, and what to do."""

    message: str
    hint: str


class RosterFaults(RosterError):
    """Every fault of one file; its message has a line for each."""

    COMMAND: ClassVar[str] = "meetctl check"
    """What to type once they are mended."""

    def __init__(self, file: Path, faults: Iterable[Fault]) -> None:
        ordered = sorted(set(faults), key=lambda fault: (fault.line or 0, fault.column or 0, shown_path(fault.path)))
        self.file = file
        self.faults = tuple(ordered)
        if len(ordered) == 1:
            super().__init__(_line(file, ordered[0]), hint=ordered[0].hint)
        else:
            lines = (_line(file, fault) + (f" ({fault.hint})" if fault.hint else "") for fault in ordered)
            again = "try again" if is_stream(file) else f"try: {self.COMMAND} {file}"
            super().__init__("\n".join(lines), hint=f"mend these {len(ordered)} and {again}")


def shown_path(path: KeyPath) -> str:
    """Returns the path as people write it: `agents[1].face`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Returns the known word most like this one, None where none is like it."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def _line(file: Path, fault: Fault) -> str:
    where = shown(file)
    if fault.line is not None:
        where += f":{fault.line}" + (f":{fault.column}" if fault.column is not None else "")
    path = shown_path(fault.path)
    return f"{where}: {path}: {fault.message}" if path else f"{where}: {fault.message}"
