"""Where people wait until a host lets them in: known by their browser, with no token, and told nothing of the meeting.

Who waits is one of the requests to a host, and decided as all of them are. A page asks again every few seconds; one
that does so no longer waits no more.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from meetctl.meeting.host_requests import ADMISSION, Decision, HostRequests
from meetctl.status.people import PeopleEvent, PersonWaits, WaitEnded
from meetctl.web.invites import Comer, Role
from meetctl.web.lobby import Knock

MOST_WAITING = 40
"""People at once: a class that opens one link at the same moment."""
MOST_OF_ADDRESS = 30
"""Behind one router; whoever floods from one address leaves room for others."""
GONE_S = 90.0
"""Browsers let a tab that nobody sees ask once a minute."""
LONGEST_S = 3600.0
"""Then nobody has answered."""
REFUSED_HOLDS_S = 60.0
"""Whom a host did not let in asks again no sooner."""
REMEMBERED = 2000
"""Browsers of whom it is known what was decided."""


@dataclass(slots=True)
class _Waiter:
    name: str
    comer: Comer
    address: str
    request_id: str
    going: asyncio.TimerHandle
    """Takes them for gone, unless their page asks again."""


class Lobby:
    """Knows who waits, who was let in and who was not; ended by `close`.

    Args:
        asks: whether people have to wait, at this moment.
        publish: told who waits, and what became of it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        requests: HostRequests,
        asks: Callable[[], bool],
        publish: Callable[[PeopleEvent], object] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._asks = asks
        self._publish = publish
        self._clock = clock
        self._waiting: dict[str, _Waiter] = {}
        """By the secret of their browser, as everything here."""
        self._let_in: OrderedDict[str, set[str]] = OrderedDict()
        """Under which names."""
        self._answers: OrderedDict[str, tuple[Knock, float]] = OrderedDict()
        """What was decided, and until when that holds."""

    def knock(self, name: str, comer: Comer, address: str) -> Knock:
        """Returns whether this person may come in; asks the hosts where nobody has yet."""
        device = comer.device
        if self._needs_nobody(comer) or self._was_let_in(name, device):
            self.withdraw(device)
            return Knock.IN
        if device is None:
            return Knock.NO_BROWSER
        answer, until = self._answers.get(device, (Knock.WAITING, 0.0))
        if answer is Knock.UNHEARD:
            del self._answers[device]  # told once; who asks again, asks anew
            return answer
        if self._clock() < until:
            return answer
        if self.waits(name, comer):
            self._hears_of(device)
            return Knock.WAITING
        self.withdraw(device)  # under another name, or by another link: that is not what hosts were asked
        return self._ask(device, name, comer, address)

    def waits(self, name: str, comer: Comer) -> bool:
        """Returns whether hosts are being asked for this person already."""
        waiter = self._waiting.get(comer.device or "")
        return waiter is not None and (waiter.name, waiter.comer) == (name, comer)

    def tells(self, comer: Comer) -> bool:
        """Returns whether this person may learn about the meeting."""
        return self._needs_nobody(comer) or comer.device in self._let_in

    def withdraw(self, device: str | None) -> None:
        """Whoever uses this browser waits no longer."""
        waiter = self._taken(device or "")
        if waiter is not None:
            self._requests.withdraw(waiter.request_id)
            self._tell_end(waiter, "gone", "")

    def take_back(self, links: Collection[str]) -> None:
        """Whoever waits by one of these links waits no longer: it lets nobody in."""
        for device in [device for device, waiter in self._waiting.items() if waiter.comer.link in links]:
            self.withdraw(device)

    def close(self) -> None:
        """Ends what waits."""
        for device in list(self._waiting):
            self._taken(device)

    def _needs_nobody(self, comer: Comer) -> bool:
        return comer.role is Role.HOST or not self._asks()

    def _was_let_in(self, name: str, device: str | None) -> bool:
        return name.casefold() in self._let_in.get(device or "", ())

    def _ask(self, device: str, name: str, comer: Comer, address: str) -> Knock:
        neighbours = sum(waiter.address == address for waiter in self._waiting.values())
        if len(self._waiting) >= MOST_WAITING or neighbours >= MOST_OF_ADDRESS:
            return Knock.FULL
        request = self._requests.ask(
            ADMISSION,
            identity="",
            name=name,
            what="come in",
            detail=_how(comer),
            within_s=LONGEST_S,
            decided=partial(self._decided, device),
        )
        self._waiting[device] = _Waiter(name, comer, address, request.id, self._timer(device))
        self._publish(PersonWaits(request.id, name, comer.role.value, time.monotonic()))
        return Knock.WAITING

    async def _decided(self, device: str, decision: Decision) -> None:
        waiter = self._taken(device)
        if waiter is None:
            return
        if decision.allowed:
            self._let_in.setdefault(device, set()).add(waiter.name.casefold())
            outcome = "let_in"
        elif decision.by:
            self._answers[device] = (Knock.REFUSED, self._clock() + REFUSED_HOLDS_S)
            outcome = "refused"
        else:
            self._answers[device] = (Knock.UNHEARD, 0.0)
            outcome = "unheard"
        for kept in (self._let_in, self._answers):
            while len(kept) > REMEMBERED:
                kept.popitem(last=False)
        self._tell_end(waiter, outcome, decision.by)

    def _hears_of(self, device: str) -> None:
        waiter = self._waiting[device]
        waiter.going.cancel()
        waiter.going = self._timer(device)

    def _timer(self, device: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(GONE_S, self.withdraw, device)

    def _taken(self, device: str) -> _Waiter | None:
        waiter = self._waiting.pop(device, None)
        if waiter is not None:
            waiter.going.cancel()
        return waiter

    def _tell_end(self, waiter: _Waiter, outcome: str, by: str) -> None:
        self._publish(WaitEnded(waiter.request_id, waiter.name, outcome, by, time.monotonic()))


def _how(comer: Comer) -> str:
    link = "a link that is for this name alone" if comer.name is not None else f"the {comer.role.value}s' link"
    return f"as {'an' if comer.role is Role.OBSERVER else 'a'} {comer.role.value}, by {link}"
