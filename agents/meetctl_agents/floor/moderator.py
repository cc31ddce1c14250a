"""The moderator: a language model that picks who speaks next, from the topic and the last lines. Raises when it fails.

The floor does not wait for it for long, and falls back to turns; nothing it writes is ever spoken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from livekit.agents import llm

from meetctl.protocol import CastMember, Line, UtteranceKind

from ..models.prompt import told_name, told_text
from .short_answers import NoDecision, ShortAnswers

PATIENCE_S = 3.0
"""The floor decides without it long before; this only ends the request."""
LINES = 8
LONGEST_LINE = 200
"""Characters told of each."""
LONGEST_ANSWER = 12
"""Tokens: a name."""
ENOUGH = 40
"""Characters: what comes after them is no answer but talk."""
NOBODY = "nobody"


class Moderator:
    """Asks the model."""

    def __init__(self, model: llm.LLM[Any], topic: str | None) -> None:
        self._answers = ShortAnswers(model, tokens=LONGEST_ANSWER, enough=ENOUGH)
        self._topic = topic

    async def pick(self, lines: Sequence[Line], candidates: Sequence[CastMember]) -> str | None:
        """Returns the identity of who is to speak next; None = nobody.

        Raises:
            NoDecision: if the answer is neither a candidate's name nor that nobody is to speak.
            APIError: if the model cannot be asked.
        """
        context = llm.ChatContext.empty()
        names = [member.name for member in candidates]
        context.add_message(role="system", content=self._instructions(names))
        context.add_message(role="user", content=question(lines, names))
        return await self._answers.ask(context, PATIENCE_S, lambda text: decision(text, candidates))

    def _instructions(self, names: Sequence[str]) -> str:
        topic = f" about {self._topic.strip()}" if self._topic else ""
        return (
            f"You moderate a meeting{topic}. You decide who speaks next: {', '.join(names)}, or {NOBODY} where the "
            f"people want to talk among themselves. You answer with that one word and nothing else."
        )


def question(lines: Sequence[Line], names: Sequence[str]) -> str:
    """Returns what the model is asked."""
    talk = [line for line in lines if line.here is None][-LINES:]
    state = [line for line in lines if line.here is not None][-1:]
    said = [_told(line) for line in (*talk, *state)]
    return "\n".join([*said, "", f"Who speaks next? One of: {', '.join(names)}, {NOBODY}."])


def _told(line: Line) -> str:
    """Returns the line on one line; no name begins with a bracket, so no person's line can look like a fact."""
    if line.here is not None:
        return f"(Here now: {', '.join(map(told_name, line.here)) or 'none of the people'}.)"
    said = told_text(line.text)[:LONGEST_LINE]
    return f"({said})" if line.kind is UtteranceKind.FACT else f"{told_name(line.speaker)}: {said}"


def decision(text: str, candidates: Sequence[CastMember]) -> str | None:
    """Returns the identity that a model's answer means; None = nobody.

    Raises:
        NoDecision: if it means neither.
    """
    found = [
        (match.start(), identity)
        for name, identity in [*((member.name, member.identity) for member in candidates), (NOBODY, None)]
        if (match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))
    ]
    if not found:
        raise NoDecision(text)
    return min(found, key=lambda one: one[0])[1]
