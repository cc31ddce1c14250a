"""Keeps a meeting within the bounds its roster sets: memory and budget of each agent, and the wait for people.

What is too much, `limits.py` decides. Whoever crosses a line leaves in good order, and the status says why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from meetctl.meeting.limits import Near, Reached, SeatUse, booked, judge_memory, judge_spending
from meetctl.protocol import UsageTotals
from meetctl.roster import AgentEntry
from meetctl.supervisor.events import ChildMessage, Sampled, SeatEvent
from meetctl.supervisor.supervisor import Supervisor

LEAVE_S = 10.0
"""What an agent may take to say goodbye: an avatar session is closed, the floor is given back."""


class LimitEnforcer:
    """Books what every agent uses and spends, and sends away who is over the line.

    Args:
        entries: by identity, as they are now; looked up at each event, so that a changed roster counts at once.
        own: takes over work that takes time.
    """

    def __init__(
        self, supervisor: Supervisor, entries: Mapping[str, AgentEntry], own: Callable[[Awaitable[None]], None]
    ) -> None:
        self._supervisor = supervisor
        self._entries = entries
        self._own = own
        self._accounts: dict[str, SeatUse] = {}
        self._leaving: set[str] = set()

    def observe(self, event: SeatEvent) -> None:
        """Takes one event into account."""
        entry = self._entries.get(event.seat)
        if entry is None:
            self._accounts.pop(event.seat, None)
            return
        account = self._accounts[event.seat] = booked(self._accounts.get(event.seat, SeatUse()), event)
        match event:
            case Sampled(memory_mb=used):
                self._follow("memory", entry, judge_memory(used, entry.limits, account.memory_ends, event.at), event.at)
            case ChildMessage(event=UsageTotals()):
                self._follow("budget", entry, judge_spending(account.spending.total, entry.budget), event.at)
            case _:
                pass

    def _follow(self, what: str, entry: AgentEntry, verdict: Near | Reached | None, at: float) -> None:
        account = self._accounts[entry.identity]
        match verdict:
            case Near(message) if what not in account.warned:
                self._accounts[entry.identity] = replace(account, warned=account.warned | {what})
                self._supervisor.warn(entry.identity, message)
            case Reached() if entry.identity not in self._leaving:
                if what == "memory":
                    self._accounts[entry.identity] = replace(account, memory_ends=(*account.memory_ends, at))
                self._leaving.add(entry.identity)
                self._own(self._send_away(what, entry.identity, verdict))
            case _:
                pass

    async def _send_away(self, what: str, seat: str, why: Reached) -> None:
        try:
            if what == "budget":
                await self._supervisor.evict(seat, why.message, why.hint, timeout_s=LEAVE_S)
            else:
                await self._supervisor.end(seat, why.message, why.hint, timeout_s=LEAVE_S, permanent=why.permanent)
        finally:
            self._leaving.discard(seat)
