"""`${VAR}` in the roster's texts, in Compose's grammar, except that an unset variable is an error and not a blank.

The grammar: https://docs.docker.com/reference/compose-file/interpolation
Pure: the variables come as a mapping. Values put in are never read for variables again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_DEPTH = 16
"""Defaults within defaults; more is a mistake or an attack on the stack."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_STOP = re.compile(r"[$]")
_STOP_IN_BRACES = re.compile(r"[$}]")
_SHOWN_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that keeps a text from being filled in."""

    message: str
    hint: str
    unset: bool = False
    """True where setting a variable mends it; False where the text itself is wrong."""


class InterpolationError(ValueError):
    """The text cannot be filled in; holds every problem, not the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    operator: str = ""
    word: tuple[str | _Variable, ...] = ()


def interpolate(text: str, environment: Mapping[str, str]) -> str:
    """Returns the text with its variables filled in.

    Only the branch that is taken needs its variables: `${A:-${B}}` asks for B only where A is unset or empty.

    Raises:
        InterpolationError: with all unset variables, or the place where the grammar is broken.
    """
    parts, _ = _parse(text, 0, depth=0)
    problems: list[Problem] = []
    filled = _fill(parts, environment, problems)
    if problems:
        raise InterpolationError(tuple(problems))
    return filled


def defaults_in(text: str) -> set[str]:
    """Returns the variables that have a default in the text, nested ones too; none where its grammar is broken."""

    def found(parts: tuple[str | _Variable, ...]) -> Iterator[str]:
        for part in parts:
            if isinstance(part, _Variable):
                if part.operator in ("-", ":-"):
                    yield part.name
                yield from found(part.word)

    try:
        return set(found(_parse(text, 0, depth=0)[0]))
    except InterpolationError:
        return set()


def _parse(text: str, start: int, *, depth: int) -> tuple[tuple[str | _Variable, ...], int]:
    """Returns the parts and the position after them; inside braces (depth > 0) that is the closing one."""
    if depth > MAX_DEPTH:
        raise _broken(f"variables are nested more than {MAX_DEPTH} deep", "set them one by one")
    parts: list[str | _Variable] = []
    stops = _STOP_IN_BRACES if depth else _STOP
    at = start
    while at < len(text):
        found = stops.search(text, at)
        stop = found.start() if found else len(text)
        parts.append(text[at:stop])
        if stop == len(text) or text[stop] == "}":
            return tuple(parts), stop
        if text.startswith("$$", stop):
            parts.append("$")
            at = stop + 2
        else:
            variable, at = _parse_variable(text, stop, depth=depth)
            parts.append(variable)
    return tuple(parts), at


def _parse_variable(text: str, dollar: int, *, depth: int) -> tuple[_Variable, int]:
    shown = text[dollar : dollar + _SHOWN_CHARACTERS].split("\n")[0]
    braced = text.startswith("${", dollar)
    match = _NAME.match(text, dollar + (2 if braced else 1))
    if match is None:
        raise _broken(f"{shown!r} names no variable", "write $$ for a plain dollar sign, or ${NAME}")
    at = match.end()
    if not braced:
        return _Variable(match.group()), at
    operator = next((known for known in _OPERATORS if text.startswith(known, at)), "")
    word: tuple[str | _Variable, ...] = ()
    if operator:
        word, at = _parse(text, at + len(operator), depth=depth + 1)
    if at >= len(text):
        raise _broken(f"{shown!r} is not closed", f"write ${{{match.group()}}}")
    if text[at] != "}":
        raise _broken(f"{shown!r} is not understood", f"write ${{{match.group()}}} or ${{{match.group()}:-default}}")
    return _Variable(match.group(), operator, word), at + 1


def _fill(parts: tuple[str | _Variable, ...], environment: Mapping[str, str], problems: list[Problem]) -> str:
    return "".join(part if isinstance(part, str) else _value(part, environment, problems) for part in parts)


def _value(variable: _Variable, environment: Mapping[str, str], problems: list[Problem]) -> str:
    value = environment.get(variable.name)
    # A colon makes an empty value count as none, as in the shell.
    present = bool(value) if variable.operator.startswith(":") else value is not None
    match variable.operator.removeprefix(":"):
        case "+":
            return _fill(variable.word, environment, problems) if present else ""
        case "-" if not present:
            return _fill(variable.word, environment, problems)
        case _ if present:
            return value or ""
    said = _fill(variable.word, environment, problems)
    state = "is not set" if value is None else "is empty"
    problems.append(
        Problem(
            f"variable {variable.name} {state}" + (f": {said}" if said else ""),
            f"export {variable.name}=…" + ("" if variable.operator else f", or write ${{{variable.name}:-default}}"),
            unset=True,
        )
    )
    return ""


def _broken(message: str, hint: str) -> InterpolationError:
    return InterpolationError((Problem(message, hint),))
