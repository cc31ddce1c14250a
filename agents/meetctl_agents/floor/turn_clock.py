"""How long an answer took, stage by stage, from what the chair and the agent each measured. Values and a clock; no I/O.

The total compares the clocks of two processes: right on one machine, as good as their time service across several.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from meetctl.protocol import Release

from .events import GrantFloor

REMEMBERED = 64
"""Lines and grants; those that nobody answers must not pile up."""


@dataclass(frozen=True, slots=True)
class _Question:
    ended_at: float
    stages_ms: dict[str, float] = field(default_factory=dict)


class TurnClock:
    """Collects the stages of each answered line."""

    def __init__(self) -> None:
        self._lines: dict[str, _Question] = {}
        self._grants: dict[str, _Question] = {}
        self._agent_ended_at = 0.0

    def heard(self, line_id: str, ended_at: float, stages_ms: dict[str, float]) -> None:
        """Notes when a person's words ended (Unix time, seconds) and what it took to understand them."""
        known = round((time.time() - ended_at) * 1000, 1)
        _remember(self._lines, line_id, _Question(ended_at, {**stages_ms, "speech_to_words": known}))

    def granted(self, order: GrantFloor, seconds: float) -> None:
        """Notes that the grant reached the agent."""
        question = self._lines.get(order.line.id) if order.line is not None else None
        if question is not None:
            if self._agent_ended_at > question.ended_at:
                question = _Question(self._agent_ended_at)  # it waited for another to finish, and that is not slowness
            stages = {**question.stages_ms, "grant": round(seconds * 1000, 1)}
            _remember(self._grants, order.grant_id, replace(question, stages_ms=stages))

    def released(self, release: Release) -> dict[str, float] | None:
        """Returns the stages of the turn, milliseconds; None where nothing was heard or nobody had asked."""
        self._agent_ended_at = time.time()
        question = self._grants.pop(release.grant_id, None)
        if question is None or release.started_at is None:
            return None
        total = round((release.started_at - question.ended_at) * 1000, 1)
        return {**question.stages_ms, **release.stages_ms, "total": total}


def _remember(kept: dict[str, _Question], key: str, question: _Question) -> None:
    kept[key] = question
    if len(kept) > REMEMBERED:
        del kept[next(iter(kept))]
