"""What waits for a host's word: each request once, until it is decided, withdrawn, or its time is up.

Knows nothing of what is asked: whoever asks says how it reads, and is told what was decided. Only who holds the host
link, or the control socket, comes as far as `decide`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from meetctl.errors import UsageError
from meetctl.supervisor.tasks import Tasks

MOST_WAITING = 50
"""Requests; who asks for more is refused at once."""


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One thing that a host may allow."""

    id: str
    """As people type it."""
    kind: str
    """What is asked for: `tool`."""
    identity: str
    """Who asks."""
    name: str
    what: str
    """In a word or two: the tool."""
    detail: str
    """All that is worth knowing before it is allowed: the whole arguments."""
    at: float
    """Unix time, seconds."""
    until: float
    """When it is refused by itself."""


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    by: str
    """Who decided, as people are told; empty = nobody, in the time that there was."""


Decided = Callable[[Decision], Awaitable[object]]
"""Told what was decided, once."""


class HostRequests:
    """Keeps what waits; ended by `aclose`.

    Args:
        failed: told what nobody foresaw.
    """

    def __init__(self, failed: Callable[[str, BaseException], object]) -> None:
        self._waiting: dict[str, tuple[HostRequest, Decided]] = {}
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
        self, kind: str, *, identity: str, name: str, what: str, detail: str, within_s: float, decided: Decided
    ) -> HostRequest:
        """Lets hosts know; `decided` is told what came of it, at the latest after so long."""
        now = time.time()
        request = HostRequest(str(next(self._numbers)), kind, identity, name, what, detail, now, now + within_s)
        if len(self._waiting) >= MOST_WAITING:
            self._tasks.own(_told(decided, Decision(False, "")), "refuse what is too much")
            return request
        self._waiting[request.id] = (request, decided)
        self._timers[request.id] = asyncio.get_running_loop().call_later(within_s, self._expire, request.id)
        return request

    def withdraw(self, id: str) -> None:
        """Whoever asked wants it no more; nobody is told."""
        self._taken(id)

    async def decide(self, id: str, *, allowed: bool, by: str) -> HostRequest:
        """Decides one request; returns it.

        Args:
            id: empty = the only one that waits.

        Raises:
            UsageError: if it does not wait, or several do and none is named.
        """
        if not id and len(self._waiting) == 1:
            id = next(iter(self._waiting))
        taken = self._taken(id)
        if taken is None:
            raise UsageError(self._why_none(id), hint="meetctl approve ID, or meetctl deny ID")
        request, decided = taken
        await decided(Decision(allowed, by))
        return request

    async def aclose(self) -> None:
        for id in list(self._waiting):
            self._taken(id)
        await self._tasks.cancel()

    def _taken(self, id: str) -> tuple[HostRequest, Decided] | None:
        timer = self._timers.pop(id, None)
        if timer is not None:
            timer.cancel()
        return self._waiting.pop(id, None)

    def _expire(self, id: str) -> None:
        taken = self._taken(id)
        if taken is not None:
            self._tasks.own(_told(taken[1], Decision(False, "")), f"refuse {id} whose time is up")

    def _why_none(self, id: str) -> str:
        listed = "; ".join(f"{one.id}: {one.name} wants {one.what} {one.detail}" for one in self.waiting)
        if id:
            return f"nothing waits under {id!r}; there is {listed or 'nothing'}"
        return f"several requests wait: {listed}" if listed else "nothing waits to be approved"


async def _told(decided: Decided, decision: Decision) -> None:
    await decided(decision)
