"""What a small model can take of a conversation: a pure function from the messages sent to the messages answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

Role = Literal["system", "user", "assistant"]

MOST_TOKENS = 1450
"""Of prompt, estimated. Reading one takes 4 to 7 ms, so this is as long as anybody will wait for an answer."""
_LETTER = 1 / 3
"""Tokens a letter or space of English: a quarter on average, and a little to be safe. Anything else, a token a byte."""
GO_ON = "Go on."
"""Ends a conversation in which nobody spoke after the assistant: the template takes no two answers in a row."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation."""

    role: Role
    content: str


def fit(messages: Iterable[ChatMessage], most: float = MOST_TOKENS) -> list[ChatMessage]:
    """Returns a conversation of at most that length that every chat template accepts.

    The system message comes first and is cut at its end; then as many of the last turns as fit, those of one role in
    a row made one, the last of them the user's. A system message between turns is read as the user's.
    """
    said = [message for message in messages if message.content.strip()]
    first_turn = next((index for index, message in enumerate(said) if message.role != "system"), len(said))
    persona = _start("\n".join(message.content for message in said[:first_turn]), most / 2)
    turns = _merged(said[first_turn:])
    if not turns or turns[-1].role == "assistant":
        turns.append(ChatMessage("user", GO_ON))
    kept = _last(turns, most - tokens(persona))
    return [ChatMessage("system", persona), *kept] if persona else kept


def _merged(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    turns = [
        ChatMessage("assistant" if message.role == "assistant" else "user", message.content) for message in messages
    ]
    return [
        ChatMessage(role, "\n".join(turn.content for turn in together))
        for role, together in groupby(turns, key=lambda turn: turn.role)
    ]


def _last(turns: list[ChatMessage], most: float) -> list[ChatMessage]:
    kept: list[ChatMessage] = []
    for turn in reversed(turns):
        if kept and tokens(turn.content) > most:
            break
        content = _start(turn.content[::-1], most)[::-1]
        kept.insert(0, ChatMessage(turn.role, content))
        most -= tokens(content)
    return kept


def tokens(text: str) -> float:
    """Returns about how many tokens the text is, rather too many than too few."""
    return sum(map(_weight, text))


def _weight(character: str) -> float:
    return _LETTER if character.isascii() and (character.isalpha() or character == " ") else len(character.encode())


def _start(text: str, most: float) -> str:
    for index, total in enumerate(accumulate(map(_weight, text))):
        if total > most:
            return text[:index]
    return text
