"""What every way of answering shares: the meeting as the agent heard it, and what it wants to say by itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol

from meetctl.protocol import Assignment, Grant, Line

from ..models.prompt import is_for_small_model
from ..models.warming import Warming
from .examples import examples_from_assignment
from .memory import Memory, Message, instructions_from_assignment
from .moves import move_after
from .speech import Speech


class Answering(Protocol):
    """Makes what an agent says, and remembers what is said."""

    warming: Warming

    def hear(self, line: Line) -> None:
        """Remembers what somebody else said; the chair may tell it twice."""

    def prepare(self, line: Line) -> None:
        """Gets ready to answer a line that may be about to be heard."""

    def take(self, grant: Grant) -> Speech:
        """Returns what to say now; whoever takes it hands it to `said` or `discard` afterwards."""

    def said(self, grant: Grant, speech: Speech, line: Line, *, cut: bool) -> None:
        """Remembers what came of it. One that was cut may be gone on with: perhaps somebody only coughed."""

    def discard(self, speech: Speech) -> None:
        """Ends a speech that failed."""

    def will_say(self, text: str, *, is_wish: bool) -> str:
        """Keeps what the agent wants to say by itself; returns the id of the line that brings it the floor."""

    def remember_tool(self, line: Line) -> None:
        """Remembers what came of a tool that the agent used."""

    def read_ahead(self) -> None:
        """Has the model told what is remembered, before it is asked."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CutOff:
    """A turn that was ended before its end; it may yet turn out that nobody wanted to say anything."""

    grant: Grant
    speech: Speech
    said: str
    is_whole: bool = False
    """Whether all of it had been made by then."""

    def is_resumed_by(self, grant: Grant) -> bool:
        return (self.grant.line, self.grant.verbatim) == (grant.line, grant.verbatim)


class Remembering:
    """The memory of one agent, and what its model is told of it."""

    def __init__(self, assignment: Assignment) -> None:
        self._identity = assignment.identity
        self._agents = tuple(member.identity for member in assignment.cast)
        self._is_small = is_for_small_model(assignment)
        self._memory = Memory(assignment.identity)
        if self._is_small:
            self._memory = Memory(assignment.identity, name=assignment.name, noted=self._agents)
        self._told = instructions_from_assignment(assignment)
        self._examples = examples_from_assignment(assignment)
        self._own_wishes: dict[str, tuple[str, bool]] = {}

    def will_say(self, text: str, *, is_wish: bool) -> str:
        """Keeps what the agent wants to say of its own accord; returns the id of the line that brings it the floor.

        Args:
            is_wish: whether the text is what to speak about, not the very words.
        """
        line_id = f"own-{uuid.uuid4().hex[:12]}"
        self._own_wishes[line_id] = (text, is_wish)
        return line_id

    def remember_tool(self, line: Line) -> None:
        """Remembers what came of a tool that the agent used."""
        self._memory.add(line)

    def _wish(self, grant: Grant) -> tuple[str, bool] | None:
        """Returns, once, what the agent wanted this floor for."""
        return None if grant.line is None else self._own_wishes.pop(grant.line.id, None)

    def _asked(self, *, newest: Line | None = None, unasked: bool = False) -> tuple[Message, ...]:
        """Returns what is sent for an answer: after another agent's words with a task, so that it leads somewhere."""
        prompt = self._prompt(newest=newest, unasked=unasked)
        lines = [line for line in self._memory.lines if newest is None or line.id != newest.id]
        heard = lines if newest is None else [*lines, newest]
        move = move_after(heard, self._identity, self._agents, self._memory.here or ())
        return prompt if move is None else (*prompt, Message("user", move))

    def _prompt(self, *, newest: Line | None = None, unasked: bool = False) -> tuple[Message, ...]:
        instructions, *said = self._memory.prompt(self._told, newest=newest, unasked=unasked)
        return (instructions, *self._examples, *said)
