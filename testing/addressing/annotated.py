"""Annotated meetings: what people and agents say, and for whom each line of a person is meant. Reads and checks.

One meeting a line of a JSONL file; `README.md` beside this has the format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from meetctl.settings import slug

Kind = Literal[
    "vocative-start",
    "vocative-mid",
    "vocative-end",
    "follow-up",
    "handover",
    "role",
    "all",
    "pronoun",
    "correction",
    "confusable",
    "asr",
    "open-question",
    "statement",
    "mention",
    "person-addressed",
    "person-reply",
    "backchannel",
    "self-talk",
    "noise",
]
KINDS: tuple[str, ...] = get_args(Kind)
ANYBODY = "*"
"""Exactly one agent, whichever."""


class WrongLine(Exception):
    """A line of a file is no annotated meeting; the message names file, line and what is wrong."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class AnnotatedAgent(_Value):
    """What the roster says of an agent."""

    name: str = Field(min_length=1)
    identity: str = ""
    persona: str | None = None
    role: str | None = None
    also_called: list[str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_identity(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("name"), str) and not value.get("identity"):
            return {**value, "identity": slug(value["name"])}
        return value


class AnnotatedTurn(_Value):
    speaker: str = Field(min_length=1)
    text: str
    kind: Kind | None = None
    expect: tuple[str, ...] | None = None
    expect_any: tuple[tuple[str, ...], ...] | None = Field(None, min_length=1)

    @property
    def allowed(self) -> tuple[tuple[str, ...], ...] | None:
        """What is right, each a list of identities in order; None = it is history only."""
        return self.expect_any or (None if self.expect is None else (self.expect,))

    @model_validator(mode="after")
    def _one_expectation(self) -> AnnotatedTurn:
        if self.expect is not None and self.expect_any is not None:
            raise ValueError("has both expect and expect_any")
        return self


class AnnotatedMeeting(_Value):
    where: str = ""
    """File and line."""
    id: str
    language: str | None = None
    agents: tuple[AnnotatedAgent, ...] = Field(min_length=1)
    people: tuple[str, ...] = Field(min_length=1)
    turns: tuple[AnnotatedTurn, ...]

    def agent_of(self, speaker: str) -> str | None:
        """Returns the identity of the agent that speaks; None where it is a person."""
        if speaker in self.people:
            return None
        found = [agent.identity for agent in self.agents if speaker in (agent.identity, agent.name)]
        return found[0] if found else None

    @model_validator(mode="after")
    def _everybody_is_known(self) -> AnnotatedMeeting:
        identities = {agent.identity for agent in self.agents}
        if len(identities) < len(self.agents):
            raise ValueError("two agents have one identity")
        for number, turn in enumerate(self.turns, 1):
            if turn.speaker not in self.people and self.agent_of(turn.speaker) is None:
                raise ValueError(f"turn {number}: nobody is called {turn.speaker!r}")
            if self.agent_of(turn.speaker) is not None:
                continue
            unknown = {name for allowed in turn.allowed or () for name in allowed} - identities - {ANYBODY}
            if unknown:
                raise ValueError(f"turn {number}: no agent has the identity {sorted(unknown)[0]!r}")
            if turn.allowed is not None and turn.kind is None:
                raise ValueError(f"turn {number}: says what is expected and not of what kind it is")
            if turn.allowed is None and turn.kind is not None:
                raise ValueError(f"turn {number}: says of what kind it is and not what is expected")
        return self


def read_meetings(file: Path) -> Iterator[AnnotatedMeeting]:
    """Yields the meetings of a file.

    Raises:
        WrongLine: at the first line that is none, or where the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongLine(f"{file}: {error}") from None
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _meeting(file, number, line)


def _meeting(file: Path, number: int, line: str) -> AnnotatedMeeting:
    try:
        value: Any = json.loads(line)
        return AnnotatedMeeting.model_validate(value).model_copy(update={"where": f"{file}:{number}"})
    except json.JSONDecodeError as error:
        raise WrongLine(f"{file}:{number}: no JSON: {error.msg} at character {error.pos + 1}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise WrongLine(f"{file}:{number}: {where + ': ' if where else ''}{what}") from None
