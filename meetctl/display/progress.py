"""Downloads in few words, for logs: the start, each quarter, the end. Pure but for what it remembers having said."""

from __future__ import annotations

from dataclasses import dataclass, field

STEPS = 4
"""Lines for one download after its first."""
COUNT_STEP = 100
"""Where no total is known: a line each so many."""


@dataclass(slots=True)
class SparseLines:
    """Turns many observations into a few lines."""

    _told: dict[str, int] = field(default_factory=dict)

    def lines(self, what: str, done: int, total: int | None) -> list[str]:
        """Returns what is worth a line now: nothing, or one."""
        reached = min(STEPS, STEPS * done // total) if total else done // COUNT_STEP
        if reached <= self._told.get(what, -1):
            return []
        self._told[what] = reached
        if total:
            return [f"{what}: {100 * reached // STEPS} % of {total / 1e6:.1f} MB"]
        return [f"{what}: {done}" if reached else f"{what}: begun"]
