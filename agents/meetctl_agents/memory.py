"""What an agent remembers of the meeting, and how it is told to a language model. Pure; no I/O.

Lines of the transcript in, a prompt out: instructions, then the conversation as alternating messages of "user" (all
the others, each line with its speaker's name) and "assistant" (this agent). It always ends with a user message: the
templates of small models refuse anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from meetctl.protocol import Assignment, Line

MOST_LINES = 20
"""Lines kept; reading 16 kB of history takes a small local model seconds."""
KEPT_LINES = 10
"""Lines left after forgetting; several go at once, since a prompt that only grows is read from the model's cache."""
LONGEST_LINE = 450
"""Characters of one line that are told to the model."""
YOUR_TURN = "(It is your turn to speak.)"


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str


class Memory:
    """The last lines of the meeting, as one agent heard them."""

    def __init__(self, identity: str, lines: Iterable[Line] = ()) -> None:
        self._identity = identity
        self._lines: dict[str, Line] = {}
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
        if len(self._lines) > MOST_LINES:
            for old in list(self._lines)[:-KEPT_LINES]:
                del self._lines[old]

    def messages(self, instructions: str) -> list[Message]:
        """Returns the prompt."""
        messages = [Message("system", instructions)]
        for line in self._lines.values():
            said = line.text[:LONGEST_LINE]
            if line.identity == self._identity:
                _append(messages, "assistant", f"{said}…" if line.interrupted else said)
            else:
                _append(messages, "user", f"{line.speaker}: {said}")
        if messages[-1].role != "user":
            _append(messages, "user", YOUR_TURN)
        return messages


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


def _append(messages: list[Message], role: Literal["user", "assistant"], text: str) -> None:
    if messages[-1].role == role:
        messages[-1] = Message(role, f"{messages[-1].text}\n{text}")
    else:
        messages.append(Message(role, text))
