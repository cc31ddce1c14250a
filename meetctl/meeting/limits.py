"""Decides when an agent uses or spends too much, and when a meeting waits for nobody. Pure: no clock, no I/O.

At 80 % of a limit there is a warning, at 100 % an end. Memory comes back with the process, so an agent that used too
much of it is started again, unless it does so over and over; what was spent is spent, so a budget is an end for good.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from meetctl.protocol import Usage
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
    "avatar_seconds": "seconds of avatar",
    "llm_tokens": "tokens of its language model",
    "tts_characters": "characters of speech",
}
_NOTHING = Usage()


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
class Account:
    """What one agent has used and spent; folded from events by `booked`."""

    earlier: Usage = _NOTHING
    """Of the processes before this one: each counts from zero."""
    current: Usage = _NOTHING
    memory_ends: tuple[float, ...] = ()
    """When it was ended for its memory; monotonic seconds."""
    warned: frozenset[str] = field(default_factory=frozenset)
    """Of what this process was warned already."""

    @property
    def spent(self) -> Usage:
        return Usage(
            **{name: getattr(self.earlier, name) + getattr(self.current, name) for name in Budget.model_fields},
        )


def booked(account: Account, event: SeatEvent) -> Account:
    """Returns the account after an event of its seat.

    A seat that was emptied on purpose, by `restart` or a changed roster, begins anew: somebody decided that.
    """
    match event:
        case SeatAdded() | Stopping():
            return Account()
        case Started():
            return replace(account, earlier=account.spent, current=_NOTHING, warned=frozenset())
        case ChildMessage(event=Usage() as usage):
            return replace(account, current=usage)
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


def judge_spending(spent: Usage, budget: Budget) -> Near | Reached | None:
    """Returns what follows from what was spent; the first part that is used up counts, else the fullest."""
    shares = {
        name: getattr(spent, name) / limit
        for name in Budget.model_fields
        if (limit := getattr(budget, name)) is not None
    }
    fullest = max(shares, key=lambda name: shares[name], default=None)
    if fullest is None or shares[fullest] < NEAR:
        return None
    words = f"{getattr(spent, fullest):.0f} of {getattr(budget, fullest):.0f} {_SPENT_ON[fullest]}"
    if shares[fullest] < 1:
        return Near(f"has spent {words}")
    hint = f"raise its budget: {{{fullest}: …}} in the roster and run `meetctl up` again, or `meetctl restart` it"
    return Reached(f"its budget is spent: {words}", hint, permanent=True)


def holds_open(participant: ParticipantInfo, agents: Collection[str] = ()) -> bool:
    """Returns whether a meeting goes on for this participant's sake: people, by whatever way they came.

    `agents` are identities known better: a `command:` with a key pair of its own may join as anything.
    """
    is_agent = participant.kind is ParticipantKind.AGENT or participant.identity in agents
    return participant.role is None and not is_agent


def idle_too_long(last_person_at: float, now: float, timeout_s: float | None) -> bool:
    """Returns whether nobody was there for so long that the meeting ends."""
    return timeout_s is not None and now - last_person_at >= timeout_s
