"""Decides when an agent uses or spends too much, and when a meeting waits for nobody. Pure: no clock, no I/O.

At 80 % of a limit there is a warning, at 100 % an end. Memory comes back with the process, so an agent that used too
much of it is started again, unless it does so over and over; what was spent is spent, so a budget is an end for good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from meetctl.meeting.accounts import Spending
from meetctl.protocol import Usage, UsageKind, UsageTotals, amount_of
from meetctl.rooms import ParticipantInfo, ParticipantKind
from meetctl.roster import Budget, Limits
from meetctl.supervisor.events import ChildMessage, SeatAdded, SeatEvent, Started, Stopping

NEAR = 0.8
"""Of a limit: from here on people are told."""
MAX_MEMORY_ENDS = 3
"""So often within the window below, and starting it again is no cure."""
MEMORY_WINDOW_S = 1800.0
"""A leak that takes longer than this to fill its limit three times is bearable; one that is faster is not."""

_SPENT_ON = {
    UsageKind.AVATAR_SECONDS: "seconds of avatar",
    UsageKind.LLM_TOKENS: "tokens of its language model",
    UsageKind.TTS_CHARACTERS: "characters of speech",
}


@dataclass(frozen=True, slots=True)
class Near:
    """Soon too much."""

    message: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Too much."""

    message: str
    hint: str
    permanent: bool
    """Whether starting it again cannot help."""


@dataclass(frozen=True, slots=True)
class SeatUse:
    """What one agent has used and spent; folded from events by `booked`."""

    spending: Spending = field(default_factory=Spending)
    memory_ends: tuple[float, ...] = ()
    """When it was ended for its memory; monotonic seconds."""
    warned: frozenset[str] = field(default_factory=frozenset)
    """Of what this process was warned already."""


def booked(account: SeatUse, event: SeatEvent) -> SeatUse:
    """Returns the account after an event of its seat.

    A seat that was emptied on purpose, by `restart` or a changed roster, begins anew: somebody decided that.
    """
    match event:
        case SeatAdded() | Stopping():
            return SeatUse()
        case Started():
            return replace(account, spending=account.spending.begun_again(), warned=frozenset())
        case ChildMessage(event=UsageTotals() as totals):
            return replace(account, spending=account.spending.told(totals))
        case _:
            return account


def judge_memory(used_mb: float, limits: Limits, ends: Sequence[float], now: float) -> Near | Reached | None:
    """Returns what follows from a measured size.

    Args:
        ends: when this agent was ended for the same reason before.
    """
    limit = limits.memory_mb
    if limit is None or used_mb < NEAR * limit:
        return None
    if used_mb < limit:
        return Near(f"uses {used_mb:.0f} MB of memory, of {limit:.0f} MB that it may")
    recent = 1 + sum(now - at < MEMORY_WINDOW_S for at in ends)
    why = f"used {used_mb:.0f} MB of memory; its limit is {limit:.0f} MB"
    if recent < MAX_MEMORY_ENDS:
        return Reached(why, "if that is what it needs, raise its limits: {memory: …} in the roster", permanent=False)
    return Reached(
        f"{why}, and it was ended for it {recent} times within {MEMORY_WINDOW_S / 60:.0f} minutes",
        "raise its limits: {memory: …} in the roster and run `meetctl up` again, or find its leak",
        permanent=True,
    )


def judge_spending(spent: Iterable[Usage], budget: Budget) -> Near | Reached | None:
    """Returns what follows from what was spent; the first part that is used up counts, else the fullest."""
    spent = tuple(spent)
    limits = {kind: limit for kind in _SPENT_ON if (limit := getattr(budget, kind)) is not None}
    fullest = max(limits, key=lambda kind: amount_of(spent, kind) / limits[kind], default=None)
    if fullest is None or amount_of(spent, fullest) < NEAR * limits[fullest]:
        return None
    words = f"{amount_of(spent, fullest):.0f} of {limits[fullest]:.0f} {_SPENT_ON[fullest]}"
    if amount_of(spent, fullest) < limits[fullest]:
        return Near(f"has spent {words}")
    hint = f"raise its budget: {{{fullest}: …}} in the roster and run `meetctl up` again, or `meetctl restart` it"
    return Reached(f"its budget is spent: {words}", hint, permanent=True)


def holds_open(participant: ParticipantInfo, agents: Collection[str] = ()) -> bool:
    """Returns whether a meeting goes on for this participant's sake: people, by whatever way they came.

    `agents` are identities known better: a `command:` with a key pair of its own may join as anything.
    """
    is_agent = participant.kind is ParticipantKind.AGENT or participant.seat in agents
    return participant.role is None and not is_agent


def idle_too_long(last_person_at: float, now: float, timeout_s: float | None) -> bool:
    """Returns whether nobody was there for so long that the meeting ends."""
    return timeout_s is not None and now - last_person_at >= timeout_s
