"""What an agent remembers of a meeting, and what its model is told of that: the last talk, who is here, who spoke.

Only talk counts against the bound: that people come and go is told as state, one line that is renewed. How a line reads
is `models/prompt.py`'s business. Pure; no I/O.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import accumulate

from meetctl.protocol import TALK, Assignment, Grant, Line

from ..models.prompt import Message, Told, instructions_from_assignment, is_for_small_model, messages
from .examples import examples_from_assignment
from .moves import move_after

MOST_LINES = 20
"""Lines kept; reading 16 kB of history takes a small local model seconds."""
KEPT_LINES = 10
"""Lines left after forgetting; several go at once, since a prompt that only grows is read from the model's cache."""
MOST_CHARACTERS = 3000
"""Of all lines kept: some 750 tokens of English, which the local model is given whole. Where a server has to cut a
prompt that grows, it cuts a little more each time, and reads all the rest again."""
KEPT_CHARACTERS = 1500
ROOM = 0.7
"""Of either bound: fuller than that, what is old is forgotten between turns rather than when an answer is wanted."""
LONGEST_LINE = 450
"""Characters of one line that are told to the model."""
MOST_NAMES = 12
"""People who spoke in lines that are forgotten."""


class Memory:
    """The meeting, as one agent heard it."""

    def __init__(
        self, identity: str, lines: Iterable[Line] = (), *, name: str | None = None, noted: Iterable[str] = ()
    ) -> None:
        """
        Args:
            name: the agent's, where the model is not told that it is called by it.
            noted: identities of those of whose lines the model is told the first sentence.
        """
        self._name = name
        self._noted = frozenset(noted)
        self._identity = identity
        self._lines: dict[str, Line] = {}
        self._speakers: dict[str, None] = {}
        self._state: Line | None = None
        self._state_after: str | None = None
        """The line of talk after which the state is told: where it changed last, so that what stands before it in the
        prompt need not be read again."""
        for line in lines:
            self.add(line)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The talk that is remembered, oldest first."""
        return tuple(self._lines.values())

    @property
    def here(self) -> tuple[str, ...] | None:
        """What the people are called who are here now; None = nobody said."""
        return self._state.here if self._state is not None else None

    def add(self, line: Line) -> None:
        """Remembers the line; one of the same id takes the earlier one's place (a sentence that was not over yet)."""
        if line.here is not None:
            self._take_state(line)
            return
        if not line.text.strip():
            return
        self._lines[line.id] = line
        if line.kind in TALK and line.identity != self._identity:
            self._speakers.pop(line.speaker, None)
            self._speakers[line.speaker] = None
        self._lines = _remembered(self._lines)

    def make_room(self) -> None:
        """Forgets already now where little room is left: between turns there is time to read the rest again."""
        self._lines = _remembered(self._lines, full=ROOM)

    def prompt(self, instructions: str, *, newest: Line | None = None, unasked: bool = False) -> tuple[Message, ...]:
        """Returns what the model is sent.

        Args:
            newest: a line that is taken for heard already.
            unasked: whether the agent is to speak of its own accord, not to answer the last line.
        """
        lines = self._lines if newest is None else _remembered({**self._lines, newest.id: newest})
        known = {line.speaker for line in lines.values()}
        told = Told(
            identity=self._identity,
            lines=tuple(
                line.model_copy(update={"text": " ".join(line.text.split())[:LONGEST_LINE]}) for line in lines.values()
            ),
            name=self._name,
            noted=self._noted,
            here=self.here,
            here_after=list(lines).index(self._state_after) + 1 if self._state_after in lines else 0,
            spoke_before=tuple(name for name in self._speakers if name not in known)[-MOST_NAMES:],
        )
        return messages(instructions, told, unasked=unasked)

    def _take_state(self, line: Line) -> None:
        if self._state is not None and line.at < self._state.at:
            return  # told again to somebody who was late
        if line.here != self.here:
            self._state_after = next(reversed(self._lines), None)
        self._state = line


def _remembered(lines: dict[str, Line], *, full: float = 1.0) -> dict[str, Line]:
    """Returns the lines, or where they fill so much of what may be kept, the newest of them."""
    if len(lines) <= MOST_LINES * full and sum(map(_length, lines.values())) <= MOST_CHARACTERS * full:
        return lines
    newest = list(lines)[-KEPT_LINES:]
    lengths = accumulate(_length(lines[name]) for name in reversed(newest))
    kept = sum(length <= KEPT_CHARACTERS for length in lengths)
    return {name: lines[name] for name in newest[-max(1, kept) :]}


def _length(line: Line) -> int:
    return len(line.speaker) + min(len(line.text), LONGEST_LINE)


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
