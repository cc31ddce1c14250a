"""Decides what follows the end of a process. Pure: no clock, no I/O, no randomness of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meetctl.protocol import RestartPolicy

FIRST_DELAY_S = 0.5
MAX_DELAY_S = 30.0
JITTER = 0.2
"""Delays vary by this share either way, so that agents felled together do not come back together."""
HEALTHY_S = 60.0
"""A process that was ready for so long has a clean record."""
MAX_FAILURES = 5
FAILURE_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a process; times are monotonic seconds."""

    started_at: float
    ready_at: float | None
    ended_at: float
    returncode: int
    permanent: bool = False
    """It said itself that trying again cannot help."""

    @property
    def failed(self) -> bool:
        return self.returncode != 0


@dataclass(frozen=True, slots=True)
class Restart:
    delay_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    why: str


@dataclass(frozen=True, slots=True)
class Leave:
    """It ended as it should; the seat stays empty."""


def next_action(policy: RestartPolicy, runs: Sequence[Run], jitter: float) -> Restart | GiveUp | Leave:
    """Returns what to do after the last of these runs.

    Args:
        runs: all lives in this seat, oldest first; at least one.
        jitter: a random number from -1 to 1.
    """
    last = runs[-1]
    if last.permanent:
        return GiveUp("trying again cannot help")
    if not last.failed and policy is not RestartPolicy.ALWAYS:
        return Leave()
    if policy is RestartPolicy.NO:
        return GiveUp("its restart policy is `no`")
    recent = [run for run in _since_last_healthy(runs) if last.ended_at - run.ended_at < FAILURE_WINDOW_S]
    if len(recent) >= MAX_FAILURES:
        return GiveUp(f"{len(recent)} failures in {FAILURE_WINDOW_S:.0f} s")
    in_a_row = len(_since_last_healthy(runs))
    if last.ready_at is not None and in_a_row <= 1:
        return Restart(0.0)
    doublings = in_a_row - 1 if last.ready_at is None else in_a_row - 2
    delay = min(FIRST_DELAY_S * 2**doublings, MAX_DELAY_S)
    return Restart(min(delay * (1 + JITTER * jitter), MAX_DELAY_S))


def _since_last_healthy(runs: Sequence[Run]) -> Sequence[Run]:
    """Returns the runs since the record was last clean, the run that was healthy included as the first failure."""
    for index in range(len(runs) - 1, -1, -1):
        run = runs[index]
        if run.ready_at is not None and run.ended_at - run.ready_at >= HEALTHY_S:
            return runs[index:]
    return runs
