"""What a small model can take of a conversation: a pure function from the messages sent to the messages answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Role = Literal["system", "user", "assistant"]

MOST_BYTES = 3600
"""Of prompt. A byte is at most one token, so this fits a context of 4096 whatever the language; in English it is some
900 tokens, which is as long as anybody will wait for a processor to read."""
GO_ON = "Go on."
"""Ends a conversation in which nobody spoke after the assistant: the template takes no two answers in a row."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


def fit(messages: Iterable[Message], most_bytes: int = MOST_BYTES) -> list[Message]:
    """Returns a conversation of at most that length that every chat template accepts.

    The system message comes first and is cut at its end; then as many of the last turns as fit, those of one role in
    a row made one, the last of them the user's. A system message between turns is read as the user's.
    """
    said = [message for message in messages if message.content.strip()]
    first_turn = next((index for index, message in enumerate(said) if message.role != "system"), len(said))
    persona = _start("\n".join(message.content for message in said[:first_turn]), most_bytes // 2)
    turns = _merged(said[first_turn:])
    if not turns or turns[-1].role == "assistant":
        turns.append(Message("user", GO_ON))
    kept = _last(turns, most_bytes - _size(persona))
    return [Message("system", persona), *kept] if persona else kept


def _merged(messages: Sequence[Message]) -> list[Message]:
    turns = [Message("assistant" if message.role == "assistant" else "user", message.content) for message in messages]
    return [
        Message(role, "\n".join(turn.content for turn in together))
        for role, together in groupby(turns, key=lambda turn: turn.role)
    ]


def _last(turns: list[Message], most_bytes: int) -> list[Message]:
    kept: list[Message] = []
    for turn in reversed(turns):
        if kept and _size(turn.content) > most_bytes:
            break
        content = _end(turn.content, most_bytes)
        kept.insert(0, Message(turn.role, content))
        most_bytes -= _size(content)
    return kept


def _size(text: str) -> int:
    return len(text.encode())


def _start(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


def _end(text: str, most_bytes: int) -> str:
    return text.encode()[-most_bytes:].decode(errors="ignore")
