"""Where a question got lost on its way to an answer, by what was recorded of it. Pure.

A record is everything that can be seen from outside: the sound that was sent, what the chair wrote of the detector and
of the words, its events, and when which agent was heard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from meetctl.protocol import FloorChanged, FloorDecided, Model, Unanswered, Utterance

ANSWERED = "answered"


@dataclass
class Record:
    """One question. Times are seconds since the first sample of it left the microphone."""

    number: int
    kind: str
    person: str
    text: str
    to: tuple[str, ...]
    """Identities of those of whom one is to answer."""
    ended_at: float
    """The last sample."""
    heard: dict[str, float] = field(default_factory=dict)
    """By agent, when it was heard first after that."""
    events: Sequence[Model] = ()
    """What the chair told meanwhile."""
    log: str = ""
    """What the chair wrote meanwhile."""

    @property
    def latency_ms(self) -> float | None:
        """From the last sample to the first sound of an answer."""
        times = [at for agent, at in self.heard.items() if agent in self.to]
        return (min(times) - self.ended_at) * 1000 if times else None

    @property
    def lines(self) -> list[str]:
        """What the chair understood of the person."""
        said = [event.line for event in self.events if isinstance(event, Utterance)]
        return [line.text for line in said if line.identity == self.person]

    @property
    def holders(self) -> list[str]:
        """Who had the floor, one after the other."""
        changes = [event.holder for event in self.events if isinstance(event, FloorChanged)]
        return [holder for holder in changes if holder is not None]

    @property
    def is_asked_again(self) -> bool:
        """Whether somebody had the floor for it and was not heard."""
        return "is asked what was not answered" in self.log

    @property
    def stage(self) -> str:
        """At which stage it got lost; what is heard of somebody who was not asked is no answer."""
        if not re.search(rf"'{self.person}' (?:begins to speak|speaks on)", self.log):
            return "the detector noticed nothing"
        if not self.lines:
            return "the recogniser understood nothing"
        decided = [event for event in self.events if isinstance(event, FloorDecided) and event.speaker == self.person]
        named = [event for event in decided if set(event.agents) & set(self.to) or self._is_open_to(event)]
        if decided and not named:
            rules = ", ".join(dict.fromkeys(event.rule for event in decided))
            return f"it was taken to be meant for somebody else ({rules})"
        if self.latency_ms is not None:
            return ANSWERED
        if not set(self.holders) & set(self.to):
            return "nobody who was asked was granted the floor"
        silent = [event for event in self.events if isinstance(event, Unanswered)]
        if silent:
            return f"whoever had the floor said nothing ({silent[-1].reason or 'no reason'})"
        if any(f"{agent} is cut off" in self.log for agent in self.to):
            return "the answer was cut off before it was heard"
        return "the answer was not heard"

    def _is_open_to(self, decided: FloorDecided) -> bool:
        return len(self.to) > 1 and not decided.agents

    def shown(self) -> dict[str, Any]:
        """Returns the record as JSON takes it."""
        events = [event.model_dump(mode="json") for event in self.events]
        return {**asdict(self), "events": events, "stage": self.stage, "latency_ms": self.latency_ms}
