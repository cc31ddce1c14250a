"""Tells what a fault broke and when each of it had recovered, from the states of a meeting. Pure: no clock, no I/O.

Only seats that were well when the fault was done are followed. Recovered means what `ready` means: its own word and
the chair's proof of its media; and that statistics and media flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from meetctl.supervisor.seat import Phase, ProcessState, SeatState
from meetctl.supervisor.state import MeetingState

SILENT_S = 5.0
"""Without statistics or an answer. Agents tell theirs every second, servers are asked every other one; the board waits
longer before it calls that stalled, but here it is looked for."""


@dataclass(frozen=True, slots=True)
class Break:
    """One seat that was well and no longer is, or was not for a while. Times are monotonic seconds."""

    seat: str
    name: str
    what: str
    broke_at: float
    """The first time, if it broke more than once."""
    repaired_at: float | None = None
    """None = it is still broken."""
    for_good: bool = False
    """Nobody is going to repair it: the seat was given up."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What is known so far."""

    began_at: float
    watched: frozenset[str]
    """Seats that were well when the fault was done."""
    degraded: frozenset[str] = frozenset()
    """Those of them that were degraded already."""
    breaks: Mapping[str, Break] | None = None
    """By seat, in the order they broke."""
    calm_since: float = 0.0
    """Since when nothing is broken; only while nothing is."""

    @property
    def broken(self) -> tuple[Break, ...]:
        """Returns what is still broken."""
        return tuple(found for found in (self.breaks or {}).values() if found.repaired_at is None)


def begin(state: MeetingState, now: float) -> Repairs:
    """Returns the beginning: nothing is broken yet."""
    well = [seat for seat in state.seats.values() if seat.ready and ailment(seat, now, degraded_before=True) is None]
    return Repairs(
        began_at=now,
        watched=frozenset(seat.seat for seat in well),
        degraded=frozenset(seat.seat for seat in well if seat.degraded_reason is not None),
        breaks={},
        calm_since=now,
    )


def observe(repairs: Repairs, state: MeetingState, now: float) -> Repairs:
    """Returns what is known after a look at the state of this moment."""
    breaks = dict(repairs.breaks or {})
    for key in repairs.watched:
        seat = state.seats.get(key)
        if seat is None:
            breaks.pop(key, None)  # somebody let it leave meanwhile
            continue
        found, known = ailment(seat, now, degraded_before=key in repairs.degraded), breaks.get(key)
        if found is not None:
            what, since = found
            for_good = seat.state is ProcessState.FATAL
            if known is None:
                breaks[key] = Break(key, seat.name, what, max(repairs.began_at, since), for_good=for_good)
            else:
                what = known.what if known.repaired_at is None and not for_good else what
                breaks[key] = replace(known, what=what, repaired_at=None, for_good=for_good)
        elif known is not None and known.repaired_at is None:
            breaks[key] = replace(known, repaired_at=now)
    after = replace(repairs, breaks=breaks)
    return replace(after, calm_since=now) if after.broken or repairs.broken else after


def is_over(repairs: Repairs, now: float, *, not_before: float, settle_s: float, bound_s: float) -> bool:
    """Returns whether there is nothing more to wait for.

    Args:
        not_before: when the fault itself is over.
        settle_s: nothing may be broken for so long: what a fault breaks, some notice late.
        bound_s: from the fault on; then it is over however things stand.
    """
    if now - repairs.began_at >= bound_s:
        return True
    if repairs.broken:
        return all(found.for_good for found in repairs.broken) and now - not_before >= settle_s
    return now - max(repairs.calm_since, not_before) >= settle_s


def ailment(seat: SeatState, now: float, *, degraded_before: bool) -> tuple[str, float] | None:
    """Returns what is wrong with a seat and since when, or None if it is well."""
    if seat.phase is Phase.STOPPING:
        return "told to leave", now
    if seat.phase is not Phase.UP:
        return (seat.last_error or f"its process is {seat.phase.value}"), now
    if seat.missing:
        return "not ready", now
    if seat.silent_since is not None:
        return "its media stopped", seat.silent_since
    if seat.last_stats_at is not None and now - seat.last_stats_at >= SILENT_S:
        return "it says nothing any more", seat.last_stats_at
    if seat.degraded_reason is not None and not degraded_before:
        return f"degraded: {seat.degraded_reason}", now
    return None
