"""Downloads in few words, for logs: the start, each quarter, the end. Pure but for what it remembers having said."""

from __future__ import annotations

from dataclasses import dataclass, field

BYTES = "bytes"

STEPS = 4
"""Lines for one download after its first."""
COUNT_STEP = 100
"""Where no total is known: a line each so many."""
COUNT_STEP_BYTES = 20_000_000


@dataclass(slots=True)
class SparseLines:
    """Turns many observations into a few lines."""

    _told: dict[str, int] = field(default_factory=dict)

    def lines(self, what: str, done: int, total: int | None, unit: str = BYTES) -> list[str]:
        """Returns what is worth a line now: nothing, or one."""
        step = COUNT_STEP_BYTES if unit == BYTES else COUNT_STEP
        reached = min(STEPS, STEPS * done // total) if total else done // step
        if reached <= self._told.get(what, -1):
            return []
        self._told[what] = reached
        if total:
            return [f"{what}: {100 * reached // STEPS} % of {amount(total, unit)}"]
        return [f"{what}: {amount(done, unit)}" if reached else f"{what}: begun"]


def amount(count: int, unit: str) -> str:
    """Returns so much of something for the eye: `12.3 MB`, `7 packages`."""
    return f"{count / 1e6:.1f} MB" if unit == BYTES else f"{count} {unit}"
