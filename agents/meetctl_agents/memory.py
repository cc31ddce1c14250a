"""What an agent remembers of the meeting, and how it is told to a language model. Pure; no I/O.

Lines of the transcript in, a prompt out: instructions, then the conversation as alternating messages of "user" (all
the others, each line with its speaker's name) and "assistant" (this agent). It always ends with a user message: the
templates of small models refuse anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from meetctl.protocol import Assignment, Line, UtteranceKind

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
NOTE = "Note"
"""Who says facts. Brackets would be copied: small models then play scenes instead of talking."""
YOUR_TURN = "(It is your turn to speak.)"
OPEN = "(Nobody has spoken yet. Greet those who are here in one sentence, and open the meeting.)"


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str


class Memory:
    """The last lines of the meeting, as one agent heard them."""

    def __init__(self, identity: str, lines: Iterable[Line] = ()) -> None:
        self._identity = identity
        self._lines: dict[str, Line] = {}
        self._speakers: dict[str, None] = {}
        for line in lines:
            self.add(line)

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(self._lines.values())

    def add(self, line: Line) -> None:
        """Remembers the line; one of the same id takes the earlier one's place (a sentence that was not over yet)."""
        if not line.text.strip():
            return
        self._lines[line.id] = line
        if line.kind is not UtteranceKind.FACT and line.identity != self._identity:
            self._speakers.pop(line.speaker, None)
            self._speakers[line.speaker] = None
        self._lines = _remembered(self._lines)

    def make_room(self) -> None:
        """Forgets already now where little room is left: between turns there is time to read the rest again."""
        self._lines = _remembered(self._lines, full=ROOM)

    def prompt(self, instructions: str, *, newest: Line | None = None, unasked: bool = False) -> tuple[Message, ...]:
        """Returns the prompt.

        Args:
            newest: a line that is taken for heard already.
            unasked: whether the agent is to speak of its own accord, not to answer the last line.
        """
        lines = self._lines if newest is None else _remembered({**self._lines, newest.id: newest})
        messages = [Message("system", instructions + self._forgotten(lines.values()))]
        for line in lines.values():
            said = " ".join(line.text.split())[:LONGEST_LINE]
            if line.kind is UtteranceKind.FACT:
                _append(messages, "user", f"{NOTE}: {said}")
            elif line.identity == self._identity:
                _append(messages, "assistant", f"{said}…" if line.interrupted else said)
            else:
                _append(messages, "user", f"{line.speaker}: {said}")
        if unasked:
            spoken = any(line.kind is not UtteranceKind.FACT for line in lines.values())
            _append(messages, "user", YOUR_TURN if spoken else OPEN)
        elif messages[-1].role != "user":
            _append(messages, "user", YOUR_TURN)
        return tuple(messages)

    def _forgotten(self, lines: Iterable[Line]) -> str:
        """Returns the names of those whose lines are forgotten: who spoke is remembered longer than what was said."""
        known = {line.speaker for line in lines}
        names = [name for name in self._speakers if name not in known][-MOST_NAMES:]
        return f" Earlier in the meeting {', '.join(names)} spoke too." if names else ""


def instructions_from_assignment(assignment: Assignment) -> str:
    """Returns who the agent is, whom it meets and how it is to talk."""
    others = [member.name for member in assignment.cast if member.identity != assignment.identity]
    parts = [f"You are {assignment.name}, speaking aloud in a meeting."]
    if assignment.persona:
        parts.append(assignment.persona.strip())
    if assignment.topic:
        parts.append(f"The topic: {assignment.topic.strip()}.")
    if others:
        parts.append(f"Also here: {', '.join(others)}, and the people who talk to you.")
    parts.append("Answer in one to three short spoken sentences. No lists, no markup, no names before what you say.")
    return " ".join(parts)


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


def _append(messages: list[Message], role: Literal["user", "assistant"], text: str) -> None:
    if messages[-1].role == role:
        messages[-1] = Message(role, f"{messages[-1].text}\n{text}")
    else:
        messages.append(Message(role, text))
