"""What each seat has used, and which avatar sessions run on although nobody is left to close them.

Folded from events; the fold is pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from meetctl.protocol import AvatarSession, Usage, UsageTotals, summed
from meetctl.supervisor.events import ChildMessage, Exited, SeatAdded, SeatEvent, SeatRemoved, Started


@dataclass(frozen=True, slots=True)
class Spending:
    """What the processes of a seat have used, one after the other: each counts from zero."""

    earlier: tuple[Usage, ...] = ()
    current: tuple[Usage, ...] = ()

    @property
    def total(self) -> tuple[Usage, ...]:
        return summed((*self.earlier, *self.current))

    def told(self, totals: UsageTotals) -> Spending:
        """Returns the spending after the process has told its running totals."""
        return replace(self, current=totals.records)

    def begun_again(self) -> Spending:
        """Returns the spending with nothing of the next process yet."""
        return Spending(earlier=self.total)


@dataclass(frozen=True, slots=True)
class AvatarSessions:
    """One seat's avatar sessions; the times are Unix time in seconds until when each runs, None = no limit was told."""

    open: Mapping[str, float | None] = field(default_factory=dict)
    """Of this process."""
    left: Mapping[str, float | None] = field(default_factory=dict)
    """Of processes that are gone: nobody closes them any more."""

    def told(self, session: AvatarSession) -> AvatarSessions:
        """Returns them after the process has opened or closed one."""
        others = {key: until for key, until in self.open.items() if key != session.id}
        return replace(self, open={**others, session.id: session.until} if session.opened else others)

    def exited(self) -> AvatarSessions:
        """Returns them after the process is gone."""
        return AvatarSessions(left={**self.left, **self.open})

    def run_on_until(self, unix_now: float) -> float | None:
        """Returns until when the last session without a process runs, None where there is none (any more)."""
        running = [until for until in self.left.values() if until is not None and until > unix_now]
        return max(running, default=None)


@dataclass(frozen=True, slots=True)
class Account:
    """One seat's, over all its processes."""

    spending: Spending = field(default_factory=Spending)
    sessions: AvatarSessions = field(default_factory=AvatarSessions)
    is_open: bool = False
    """A process is in the seat; what one that is gone says late counts for nothing."""


def booked(account: Account, event: SeatEvent) -> Account:
    """Returns the account after an event of its seat."""
    match event:
        case SeatAdded():
            return Account()
        case Started():
            return replace(account, is_open=True)
        case Exited():
            return Account(account.spending.begun_again(), account.sessions.exited())
        case ChildMessage(event=UsageTotals() as totals) if account.is_open:
            return replace(account, spending=account.spending.told(totals))
        case ChildMessage(event=AvatarSession() as session) if account.is_open:
            return replace(account, sessions=account.sessions.told(session))
        case _:
            return account


class Accounts:
    """Books every seat of a meeting."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}

    def observe(self, event: SeatEvent) -> None:
        """Takes one event into account."""
        if isinstance(event, SeatRemoved):
            self._accounts.pop(event.seat, None)
        else:
            self._accounts[event.seat] = booked(self._accounts.get(event.seat, Account()), event)

    def used(self) -> Mapping[str, tuple[Usage, ...]]:
        """Returns what each seat has used."""
        return {key: total for key, account in self._accounts.items() if (total := account.spending.total)}

    def avatars_run_on(self, unix_now: float) -> Mapping[str, float]:
        """Returns the seats that have left avatar sessions open, and until when the last of each runs."""
        until = {key: account.sessions.run_on_until(unix_now) for key, account in self._accounts.items()}
        return {key: at for key, at in until.items() if at is not None}
