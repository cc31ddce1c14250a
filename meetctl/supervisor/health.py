"""Decides whether the process in a seat is ill. Pure: no clock, no I/O; times are monotonic seconds.

Ill is who does not get ready, says nothing of itself any more, or sends no media. Nobody is judged for what others
did to it: a supervisor that stood still itself, or a server that did not answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from meetctl.supervisor.events import Proof
from meetctl.supervisor.seat import ProcessState, SeatState

LOOK_S = 1.0
"""How often each process is looked at; statistics come as often."""
LATE_S = 3.0
"""A look that comes so much later than that shows that we stood still: a laptop slept, or the machine is starved. What
the child said meanwhile waits in its pipe."""
START_S = 60.0
"""From its first line to `Ready`: half a second for a forked program, and many times that for one that has to import
everything on a busy machine."""
LOADING_S = 240.0
"""The same for one that is at work all that time: killed and begun anew, it would only add to the load."""
LOADING_PERCENT = 2.0
"""Of a core: a process that hangs takes none, one that loads takes what the others leave it."""
REPLACE_AFTER_S = 15.0
"""Without media or statistics. It shows as stalled long before; a network that stands still for five seconds, or a
machine that swaps, must cost nobody the seat."""
SERVICE_REPLACE_AFTER_S = 60.0
"""Without an answer. Replacing a server costs everybody who leans on it, so it gets longer."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """What the process in a seat must do to count as well; None = that is not expected of it."""

    start_s: float | None = None
    """Say `Ready`, or be seen in the room, within so long of its first line, or of its start where it gets none."""
    news_s: float | None = None
    """Never let so long pass without statistics, without an answer, or without media."""
    depends_on: str | None = None
    """The seat without which it can do nothing; while that one is not well, nothing is expected."""
    slow_hint: str | None = None
    """What to do where it is well, and only needs longer to start."""


NOTHING = HealthCheck()
BEGUN = frozenset({Proof.READY, Proof.ACTIVE})
"""What each program owes by itself; that its media arrives is the chair's word, and not in its hands alone."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered between two looks at one process."""

    looked_at: float
    excused_until: float
    """What was before this moment is not held against it."""
    ready_since: float | None = None
    """When it was first seen to have begun its work."""


def begin_watch(now: float) -> Watch:
    """Returns the watch over a process that was started, or handed its first line, just now."""
    return Watch(looked_at=now, excused_until=now)


def evaluate(
    watch: Watch, seat: SeatState, health_check: HealthCheck, now: float, *, dependency_is_well: bool
) -> tuple[Watch, str | None]:
    """Returns the watch after this look, and why the process is to be replaced, None = it is not.

    Args:
        ground_is_well: whether the seat that it leans on is ready and not stalled; True where it leans on none.
    """
    late = not 0 <= now - watch.looked_at <= LOOK_S + LATE_S
    has_begun = not seat.missing & BEGUN
    watch = replace(
        watch,
        looked_at=now,
        excused_until=now if late or not dependency_is_well else watch.excused_until,
        ready_since=(watch.ready_since or now) if has_begun else None,
    )
    return watch, _ailment(watch, seat, health_check, now)


def is_well(seat: SeatState | None) -> bool:
    """Returns whether others can lean on it; one that is not there is nobody's ground. Takes a seat `as_of` now."""
    return seat is None or (seat.ready and seat.state is not ProcessState.STALLED)


def _ailment(watch: Watch, seat: SeatState, health_check: HealthCheck, now: float) -> str | None:
    def passed(since: float | None, limit: float | None) -> bool:
        return since is not None and limit is not None and now - max(since, watch.excused_until) >= limit

    if watch.ready_since is None:
        limit = health_check.start_s
        if limit is not None and (seat.cpu_percent or 0) >= LOADING_PERCENT:
            limit = max(limit, LOADING_S)
        what = "has not joined" if Proof.ACTIVE in seat.missing else "was not ready"
        return f"{what} within {limit:.0f} s" if passed(watch.excused_until, limit) else None
    if passed(seat.last_stats_at or watch.ready_since, health_check.news_s):
        return f"stalled: nothing was heard from it for {health_check.news_s:.0f} s"
    if passed(seat.silent_since, health_check.news_s):
        return f"stalled: its media stopped for {health_check.news_s:.0f} s"
    return None
