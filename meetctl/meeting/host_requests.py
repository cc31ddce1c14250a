"""What waits for a host's word: each request once, until it is decided, withdrawn, or its time is up.

Knows nothing of what is asked: whoever asks says how it reads, and is told what was decided. Only who holds the host
link, or the control socket, comes as far as `decide`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from meetctl.errors import UsageError
from meetctl.supervisor.tasks import Tasks

MOST_WAITING = 50
"""Requests of one kind; who asks for more is refused at once."""
TOOL, ADMISSION = "tool", "admission"
BY_NAME = frozenset({ADMISSION})
"""Kinds that hosts may also call by who asks: somebody outside asks for one thing, an agent for many."""


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One thing that a host may allow."""

    id: str
    """As people type it."""
    kind: str
    """What is asked for: `tool`, or `admission`."""
    identity: str
    """Who asks; empty = somebody who is not in the meeting yet."""
    name: str
    what: str
    """In a word or two: the tool, or to come in."""
    detail: str
    """All that is worth knowing before it is allowed: the whole arguments, or as what somebody comes."""
    at: float
    """Unix time, seconds."""
    until: float
    """When it is refused by itself."""


@dataclass(frozen=True, slots=True)
class HostDecision:
    allowed: bool
    by: str
    """Who decided, as people are told; empty = nobody, in the time that there was."""


OnDecided = Callable[[HostDecision], Awaitable[object]]
"""Told what was decided, once."""


class HostRequests:
    """Keeps what waits; ended by `aclose`.

    Args:
        failed: told what nobody foresaw.
    """

    def __init__(self, failed: Callable[[str, BaseException], object]) -> None:
        self._waiting: dict[str, tuple[HostRequest, OnDecided]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._numbers = itertools.count(1)
        self._tasks = Tasks(failed)

    @property
    def waiting(self) -> tuple[HostRequest, ...]:
        """Returns what nobody has decided yet, oldest first."""
        return tuple(request for request, _ in self._waiting.values())

    def view(self) -> list[dict[str, Any]]:
        """Returns the same for the page, and for `status --json`."""
        return [asdict(request) for request in self.waiting]

    def ask(
        self, kind: str, *, identity: str, name: str, what: str, detail: str, within_s: float, decided: OnDecided
    ) -> HostRequest:
        """Lets hosts know; `decided` is told what came of it, at the latest after so long."""
        now = time.time()
        request = HostRequest(str(next(self._numbers)), kind, identity, name, what, detail, now, now + within_s)
        if sum(one.kind == kind for one in self.waiting) >= MOST_WAITING:
            self._tasks.own(_told(decided, HostDecision(False, "")), "refuse what is too much")
            return request
        self._waiting[request.id] = (request, decided)
        self._timers[request.id] = asyncio.get_running_loop().call_later(within_s, self._expire, request.id)
        return request

    def withdraw(self, id: str) -> None:
        """Whoever asked wants it no more; nobody is told."""
        self._taken(id)

    async def decide(self, id: str, *, allowed: bool, by: str, kind: str | None = None) -> HostRequest:
        """Decides one request; returns it.

        Args:
            id: or the name of somebody outside; empty = the only one that waits.
            kind: of those alone; None = of all.

        Raises:
            UsageError: if it does not wait, or several do and none is named.
        """
        among = [one for one in self.waiting if kind in (None, one.kind)]
        found = [one for one in among if id in ("", one.id)]
        if not found and not id.isdecimal():  # a number that waits no more is nobody's name
            found = [one for one in among if one.kind in BY_NAME and one.name.casefold() == id.casefold()]
        if len(found) != 1:
            raise UsageError(
                _why_none(id, among, found, kind), hint=_HINTS.get(kind or "", "meetctl approve ID, or deny ID")
            )
        taken = self._taken(found[0].id)
        assert taken is not None
        request, decided = taken
        await decided(HostDecision(allowed, by))
        return request

    async def aclose(self) -> None:
        for id in list(self._waiting):
            self._taken(id)
        await self._tasks.cancel()

    def _taken(self, id: str) -> tuple[HostRequest, OnDecided] | None:
        timer = self._timers.pop(id, None)
        if timer is not None:
            timer.cancel()
        return self._waiting.pop(id, None)

    def _expire(self, id: str) -> None:
        taken = self._taken(id)
        if taken is not None:
            self._tasks.own(_told(taken[1], HostDecision(False, "")), f"refuse {id} whose time is up")


_HINTS = {ADMISSION: "meetctl admit ID, or meetctl deny ID"}


def _why_none(id: str, among: Sequence[HostRequest], found: Sequence[HostRequest], kind: str | None) -> str:
    listed = "; ".join(f"{one.id}: {one.name} wants {_wish(one)}" for one in found or among)
    if id and not found:
        who = "nobody waits to be let in" if kind == ADMISSION else "nothing waits"
        return f"{who} under {id!r}; there is {listed or 'nothing'}"
    if listed:
        return f"several requests wait: {listed}"
    return "nobody waits to be let in" if kind == ADMISSION else "nothing waits to be approved"


def _wish(request: HostRequest) -> str:
    return f"{'to ' if request.kind == ADMISSION else ''}{request.what} {request.detail}"


async def _told(decided: OnDecided, decision: HostDecision) -> None:
    await decided(decision)
