"""A `.env` or `env_file` as a mapping, in Compose's grammar. Never touches the own environment.

`NAME=VALUE` or `NAME: VALUE`, `export` before it, comments behind ` #`; single quotes keep everything as it stands,
double quotes know `\\n` and its like, both may span lines; `$NAME` and `${NAME:-default}` outside of single quotes.
Other than in Compose, what cannot be filled in is an error and not a blank, and `NAME=  # words` is empty.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass

from meetctl.roster.interpolation import InterpolationError, interpolate

MAX_VALUE_BYTES = 128 * 1024 - 1
"""Linux takes no longer text in an environment or a command line, name and end included (`MAX_ARG_STRLEN`)."""

_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:]([ \t]*)")
_QUOTED = {quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in "'\""}
_COMMENT = re.compile(r"\s#.*")
_ESCAPE = re.compile(r'\\([abcfnrtv$"\\]|0[0-7]{3})')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class EnvFault:
    """What is wrong with a line; its text is not repeated, it may be a key."""

    line: int
    message: str
    hint: str = 'write NAME=VALUE, or NAME="VALUE"'


class EnvFileError(ValueError):
    """Lines that set no variable; holds every fault, and the first one's line and message."""

    def __init__(self, faults: list[EnvFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)
        self.line = faults[0].line
        self.message = faults[0].message


def parse_env_file(
    text: str, environment: Mapping[str, str] | None = None, *, lines: dict[str, int] | None = None
) -> dict[str, str]:
    """Returns the variables of the file; a later line wins.

    Args:
        environment: fills in `$NAME`, before what stands further up in the file; None = a `$` stays a `$`.
        lines: told where each variable stands.

    Raises:
        EnvFileError: with everything that cannot be read.
    """
    reading = _Reading(text.removeprefix("\ufeff").replace("\r\n", "\n"), environment)
    found = reading.variables()
    if reading.faults:
        raise EnvFileError(reading.faults)
    if lines is not None:
        lines |= reading.lines
    return found


def why_not_held(value: str) -> str | None:
    """Returns why no environment and no command line can hold the text, None where they can."""
    if "\0" in value:
        return "holds a NUL character, which no environment can"
    try:
        length = len(value.encode())
    except UnicodeEncodeError:
        return "holds half a character (a lone surrogate)"
    if length > MAX_VALUE_BYTES:
        return f"has {length} bytes; an environment holds {MAX_VALUE_BYTES} in one value"
    return None


class _Reading:
    def __init__(self, text: str, environment: Mapping[str, str] | None) -> None:
        self.text = text
        self.environment = environment
        self.faults: list[EnvFault] = []
        self.lines: dict[str, int] = {}
        self._at = 0

    def variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        while self._at < len(self.text):
            line = self.text.count("\n", 0, self._at) + 1
            rest = self._line_from(self._at)
            if not rest.strip() or rest.lstrip().startswith("#"):
                self._at += len(rest) + 1
                continue
            self._at += len(rest) - len(rest.lstrip())
            match = _NAME.match(self.text, self._at)
            if match is None:
                self.faults.append(EnvFault(line, "is not NAME=VALUE"))
                self._to_next_line()
                continue
            self._at = match.end()
            value = self._value(line, blank_before=bool(match[2]), known=found)
            if value is not None:
                found[match[1]] = value
                self.lines[match[1]] = line
        return found

    def _value(self, line: int, *, blank_before: bool, known: Mapping[str, str]) -> str | None:
        quote = self.text[self._at : self._at + 1]
        if quote not in _QUOTED:
            rest = self._line_from(self._at)
            self._to_next_line()
            plain = "" if blank_before and rest.startswith("#") else _COMMENT.sub("", rest, count=1).rstrip()
            return self._judged(self._filled(plain, line, known), line)
        match = _QUOTED[quote].match(self.text, self._at)
        if match is None:
            hint = "close it; a text with a quote in it goes into the other kind of quotes"
            self.faults.append(EnvFault(line, "opens a quote and does not close it", hint))
            self._at = len(self.text)  # where it should end is not known
            return None
        self._at = match.end()
        behind = self._line_from(self._at).strip()
        self._to_next_line()
        if behind and not behind.startswith("#"):
            self.faults.append(EnvFault(line, "goes on after the closing quote"))
            return None
        if quote == "'":
            return self._judged(match[1].replace("\\'", "'"), line)
        return self._judged(self._filled(_ESCAPE.sub(self._unescaped, match[1]), line, known), line)

    def _unescaped(self, match: re.Match[str]) -> str:
        if match[1] == "$":  # kept from being filled in
            return "$" if self.environment is None else "$$"
        return _ESCAPES.get(match[1]) or chr(int(match[1], 8) & 0xFF)

    def _filled(self, text: str, line: int, known: Mapping[str, str]) -> str | None:
        if self.environment is None:
            return text
        try:
            # The mapping that is asked first may count what it is asked for, so nothing is copied.
            return interpolate(text, ChainMap(self.environment, known))  # type: ignore[arg-type]
        except InterpolationError as error:
            for problem in error.problems:
                hint = f"{problem.hint}; or put the value in single quotes, where $ is a plain dollar sign"
                self.faults.append(EnvFault(line, problem.message, hint))
            return None

    def _judged(self, value: str | None, line: int) -> str | None:
        why = why_not_held(value) if value is not None else None
        if why is not None:
            self.faults.append(EnvFault(line, why, "write what it should be"))
            return None
        return value

    def _line_from(self, start: int) -> str:
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)]

    def _to_next_line(self) -> None:
        self._at += len(self._line_from(self._at)) + 1
