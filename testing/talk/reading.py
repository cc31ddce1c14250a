"""Counts which of a conversation's prompt tokens a language model reads, and which of them it had read before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Chunk = dict[str, Any]
Take = Callable[[Chunk], bool]
Unit = tuple[str, str]
"""A role and a line: what a prompt is made of."""


@dataclass(slots=True)
class Reading:
    """Totals, in tokens."""

    prompts: int = 0
    asked: int = 0
    """Of all prompts."""
    read: int = 0
    """Not taken from the model's cache."""
    again: float = 0.0
    """Of those, in lines that the same agent's model had read before."""


@dataclass(slots=True)
class CountingServer:
    """Stands before llama.cpp and counts by what it tells of its progress."""

    server: Any
    reading: Reading = field(default_factory=Reading)
    _seen: dict[str, set[Unit]] = field(default_factory=lambda: defaultdict(set))
    """By whose instructions they stand behind."""

    def handle_chat_completions(self, body: Mapping[str, Any], take: Take) -> None:
        """Passes the call on."""
        progress: dict[str, int] = {}

        def taking(chunk: Chunk) -> bool:
            progress.update(chunk.get("prompt_progress") or {})
            return take(chunk)

        try:
            self.server.handle_chat_completions(body, taking)
        finally:
            if progress:
                self._count(body["messages"], progress)

    def _count(self, messages: Sequence[Mapping[str, str]], progress: Mapping[str, int]) -> None:
        total, cached, processed = (progress[key] for key in ("total", "cache", "processed"))
        read = max(0, processed - cached)
        units = [(one["role"], line) for one in messages for line in one["content"].split("\n")]
        seen = self._seen[messages[0]["content"]]
        inside = _between(units, cached / total, processed / total)
        letters = sum(inside.values())
        self.reading.prompts += 1
        self.reading.asked += total
        self.reading.read += read
        if letters:
            self.reading.again += read * sum(share for unit, share in inside.items() if unit in seen) / letters
        seen.update(_between(units, 0.0, processed / total))


def _between(units: Sequence[Unit], start: float, end: float) -> dict[Unit, float]:
    """Returns the lines in a stretch of the prompt, given in shares of it, and how many of their letters are in it."""
    whole = sum(len(line) + 1 for _, line in units)
    found: dict[Unit, float] = defaultdict(float)
    at = 0
    for role, line in units:
        first, last = max(at, start * whole), min(at + len(line) + 1, end * whole)
        if last - first > 1:
            found[role, line] += last - first
        at += len(line) + 1
    return found
