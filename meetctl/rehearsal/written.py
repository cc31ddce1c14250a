"""The scenario as people write it: every key and its type. No files, no roster.

A step's first key is a sentence (`Sam says`), which is taken apart in `sentences.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from meetctl.roster.kinds import AlsoWritten, refused
from meetctl.roster.written import Written

LONGEST_S = 3600.0
LONGEST_TEXT = 1000
"""Characters of one sentence; a minute of speech."""
VOICES = ("alto", "baritone", "soprano", "tenor", "mezzo", "bass", "treble", "contralto")
"""Those of the local model server, in the order in which they are given to people who name none."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise refused("not a duration", "write 500ms, 5s or 2m")
    return float(match[1]) * _UNITS[match[2] or "s"]


def _bounded(seconds: float) -> float:
    if not 0 < seconds <= LONGEST_S:
        raise refused(f"must be more than nothing and at most {LONGEST_S / 60:.0f}m", "write 500ms, 5s or 2m")
    return seconds


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise refused(
            f"not a regular expression: {error}", r"write \ before a character that is meant as itself"
        ) from None
    return text


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _voice(text: str) -> str:
    if text not in VOICES:
        raise refused(f"no local voice is called {text!r}", f"write one of {', '.join(VOICES)}")
    return text


DURATION = {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(ms|s|m)?\s*$", "examples": ["500ms", "5s", "2m"]}
Duration = Annotated[float, BeforeValidator(_seconds), AlsoWritten(DURATION), AfterValidator(_bounded)]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
Names = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(_one_or_many),
    AlsoWritten({"type": "string", "minLength": 1}, first=True),
    Field(min_length=1),
]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class PersonWritten(Written):
    voice: Annotated[str, AfterValidator(_voice)] | None = None
    pitch: float | None = Field(None, ge=0.5, le=2)
    formant: float | None = Field(None, ge=0.7, le=1.4)

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if value is None:
            return {}
        return {"voice": value} if isinstance(value, str) else value


class TextWritten(Written):
    contains: Text | None = None
    matches: Pattern | None = None

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if isinstance(value, str):
            return {"contains": value}
        if isinstance(value, Mapping) and not {"contains", "matches"} & set(value):
            raise refused("tests no words", "write {contains: …} or {matches: …}")
        return value


class LineWritten(TextWritten):
    speaker: str | None = None


class ToolExpectWritten(Written):
    """A tool that is to be used."""

    called: str = Field(min_length=1)
    times: int | None = Field(None, ge=0)
    """None = at least once."""


class ExpectWritten(Written):
    answers: Names | None = None
    silent: Names | None = None
    within: Duration | None = None
    silent_within: Duration | None = None
    contains: Text | None = None
    matches: Pattern | None = None
    understood: TextWritten | None = None
    tools: ToolExpectWritten | None = None


class MeetingExpectWritten(Written):
    overlap_below: Duration | None = None
    p50_below: Duration | None = None
    p95_below: Duration | None = None
    transcript: list[LineWritten] | None = Field(None, min_length=1)


class StepWritten(Written):
    """What may stand beside a step's sentence."""

    when: Literal["speaking"] | None = None
    expect: ExpectWritten | None = None


class ScenarioWritten(Written):
    """Everything but what the roster, the people and the steps hold, which are read one by one."""

    roster: str | dict[str, Any]
    people: dict[str, Any] = Field(min_length=1)
    steps: list[Any] = Field(min_length=1)
    expect: MeetingExpectWritten | None = None
