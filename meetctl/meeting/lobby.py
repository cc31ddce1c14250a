"""Where people wait until a host lets them in: known by their browser, with no token, and told nothing of the meeting.

Who waits is one of the requests to a host, and decided as all of them are. A page asks again every few seconds; one
that does so no longer waits no more.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from meetctl.meeting.host_requests import ADMISSION, HostDecision, HostRequests
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
"""Browsers of whom it is known what was decided, and askings that were left off."""


class _Who(NamedTuple):
    """What a host decides about: this browser, under this name, as what, by this link."""

    device: str | None
    name: str
    role: Role
    link: str | None


@dataclass(slots=True)
class _Waiter:
    name: str
    address: str
    number: int
    request_id: str
    visit: str | None
    """By which their page asked last."""
    going: asyncio.TimerHandle
    """Takes them for gone, unless their page asks again."""


class Lobby:
    """Knows who waits, who was let in and who was not; ended by `close`.

    Args:
        asks: whether people have to wait, at this moment.
        has_been_in: whether whoever uses the browser with this secret has been in the meeting.
        publish: told who waits, and what became of it.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        requests: HostRequests,
        asks: Callable[[], bool],
        has_been_in: Callable[[str], bool],
        publish: Callable[[PeopleEvent], object] = lambda event: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._asks = asks
        self._has_been_in = has_been_in
        self._publish = publish
        self._clock = clock
        self._waiting: dict[_Who, _Waiter] = {}
        self._numbers = itertools.count()
        self._let_in: OrderedDict[str, set[_Who]] = OrderedDict()
        """By the secret of their browser, as the next two."""
        self._unasked: OrderedDict[str, set[_Who]] = OrderedDict()
        """Who might come in when nobody had to be asked."""
        self._answers: OrderedDict[str, tuple[Knock, float]] = OrderedDict()
        """What was decided, and until when that holds."""
        self._left_off: OrderedDict[tuple[str | None, str], None] = OrderedDict()
        """By browser: what its page asks for no longer. A page's goodbye may overtake what it asked before."""

    def knock(self, name: str, comer: Comer, address: str, visit: str | None = None) -> Knock:
        """Returns whether this person may come in; asks the hosts where nobody has yet."""
        device, who = comer.device, _who(name, comer)
        if self._needs_nobody(comer):
            _remember(self._unasked, who)
            self._withdraw(who)
            return Knock.IN
        if device is None:
            return Knock.NO_BROWSER
        if who in self._known(device):
            return Knock.IN
        if visit is not None and (device, visit) in self._left_off:
            return Knock.LEFT_OFF
        if who in self._waiting:
            self._hears_of(who, visit)
            return Knock.WAITING
        answer, until = self._answers.get(device, (Knock.WAITING, 0.0))
        if answer is Knock.UNHEARD:
            del self._answers[device]  # told once; who asks again, asks anew
            return answer
        if self._clock() < until:
            return answer
        return self._ask(who, name, comer, address, visit)

    def waits(self, name: str, comer: Comer) -> bool:
        """Returns whether hosts are being asked for this person already."""
        return _who(name, comer) in self._waiting

    def tells(self, comer: Comer) -> bool:
        """Returns whether this person may learn about the meeting."""
        if self._needs_nobody(comer):
            return True
        known = () if comer.device is None else self._known(comer.device)
        return any((who.role, who.link) == (comer.role, comer.link) for who in known)

    def withdraw(self, device: str | None, visit: str | None = None) -> None:
        """Whoever uses this browser waits no longer; with a visit, only who asked last by that one."""
        if visit is not None:
            self._left_off[device, visit] = None
            _bound(self._left_off)
        for who, waiter in list(self._waiting.items()):
            if who.device == device and visit in (None, waiter.visit):
                self._withdraw(who)

    def withdraw_all(self) -> None:
        """Nobody waits any longer."""
        for who in list(self._waiting):
            self._withdraw(who)

    def take_back(self, links: Collection[str]) -> None:
        """Whoever waits by one of these links waits no longer: it lets nobody in."""
        for who in [who for who in self._waiting if who.link in links]:
            self._withdraw(who)

    def close(self) -> None:
        """Ends what waits."""
        for who in list(self._waiting):
            self._taken(who)

    def _withdraw(self, who: _Who) -> None:
        waiter = self._taken(who)
        if waiter is not None:
            self._requests.withdraw(waiter.request_id)
            self._tell_end(waiter, "gone", "")

    def _known(self, device: str) -> Collection[_Who]:
        """Returns who may come in by this browser: whom a host let in, or who was in before hosts had to be asked."""
        back = self._unasked.get(device, set()) if self._has_been_in(device) else set()
        return self._let_in.get(device, set()) | back

    def _needs_nobody(self, comer: Comer) -> bool:
        return comer.role is Role.HOST or not self._asks()

    def _ask(self, who: _Who, name: str, comer: Comer, address: str, visit: str | None) -> Knock:
        neighbours = sum(waiter.address == address for waiter in self._waiting.values())
        if len(self._waiting) >= MOST_WAITING or neighbours >= MOST_OF_ADDRESS:
            return Knock.FULL
        number = next(self._numbers)
        request = self._requests.ask(
            ADMISSION,
            identity="",
            name=name,
            what="come in",
            detail=_how(comer),
            within_s=LONGEST_S,
            decided=partial(self._decided, who, number),
        )
        self._waiting[who] = _Waiter(name, address, number, request.id, visit, self._timer(who))
        self._publish(PersonWaits(request.id, name, comer.role.value, time.monotonic()))
        return Knock.WAITING

    async def _decided(self, who: _Who, number: int, decision: HostDecision) -> None:
        waiter = self._waiting.get(who)
        if waiter is None or waiter.number != number:  # they have gone, and perhaps asked anew
            return
        self._taken(who)
        assert who.device is not None
        if decision.allowed:
            _remember(self._let_in, who)
            outcome = "let_in"
        elif decision.by:
            self._answers[who.device] = (Knock.REFUSED, self._clock() + REFUSED_HOLDS_S)
            outcome = "refused"
        else:
            self._answers[who.device] = (Knock.UNHEARD, 0.0)
            outcome = "unheard"
        _bound(self._answers)
        self._tell_end(waiter, outcome, decision.by)

    def _hears_of(self, who: _Who, visit: str | None) -> None:
        waiter = self._waiting[who]
        waiter.visit = visit
        waiter.going.cancel()
        waiter.going = self._timer(who)

    def _timer(self, who: _Who) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(GONE_S, self._withdraw, who)

    def _taken(self, who: _Who) -> _Waiter | None:
        waiter = self._waiting.pop(who, None)
        if waiter is not None:
            waiter.going.cancel()
        return waiter

    def _tell_end(self, waiter: _Waiter, outcome: str, by: str) -> None:
        self._publish(WaitEnded(waiter.request_id, waiter.name, outcome, by, time.monotonic()))


def _who(name: str, comer: Comer) -> _Who:
    return _Who(comer.device, name.casefold(), comer.role, comer.link)


def _remember(kept: OrderedDict[str, set[_Who]], who: _Who) -> None:
    if who.device is not None:
        kept.setdefault(who.device, set()).add(who)
        _bound(kept)


def _bound(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > REMEMBERED:
        kept.popitem(last=False)


def _how(comer: Comer) -> str:
    link = "a link that is for this name alone" if comer.name is not None else f"the {comer.role.value}s' link"
    return f"as {'an' if comer.role is Role.OBSERVER else 'a'} {comer.role.value}, by {link}"
