"""What the page's server asks of the place where people wait to be let in. Values only."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Protocol

from aiohttp import web
from pydantic import Field

from meetctl.web.gate import refuse
from meetctl.web.invites import Comer
from meetctl.web.people import DeviceSecret, Invited

TOLD_OUTSIDE = frozenset({"transcript", "loopback_only"})
"""What whoever waits may know: what becomes of their words, and whether their browser can come in at all."""


class Knock(StrEnum):
    """What somebody is told who asks to come in."""

    IN = "in"
    WAITING = "waiting"
    REFUSED = "not_let_in"
    UNHEARD = "nobody_answered"
    FULL = "lobby_full"
    NO_BROWSER = "no_browser"
    """It could not be known again."""
    LEFT_OFF = "left_off"
    """Their page has said that it waits no longer, and this is what it asked before."""


_ANSWERS = {
    Knock.REFUSED: (HTTPStatus.FORBIDDEN, "A host did not let you in."),
    Knock.UNHEARD: (HTTPStatus.FORBIDDEN, "No host has answered."),
    Knock.FULL: (HTTPStatus.TOO_MANY_REQUESTS, "Many people wait to be let in. Try again in a minute."),
    Knock.NO_BROWSER: (HTTPStatus.FORBIDDEN, "A host lets people in here: open the link in a browser."),
    Knock.LEFT_OFF: (HTTPStatus.CONFLICT, "This page waits no longer. Ask again."),
}


VisitNumber = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
"""A page's own number for one asking to come in, until that is decided or left off."""


class WithdrawRequest(Invited):
    """What the page sends for somebody who waits no longer."""

    device: DeviceSecret
    visit: VisitNumber | None = None
    """None = all that wait in this browser."""


class LobbyDesk(Protocol):
    """Lets people wait until a host has decided."""

    def knock(self, name: str, comer: Comer, address: str, visit: str | None = None) -> Knock:
        """Returns whether they may come in; asks the hosts where nobody has yet. A page asks again and again.

        Args:
            visit: as which asking of theirs; one that was withdrawn is not taken up again.
        """
        ...

    def waits(self, name: str, comer: Comer) -> bool:
        """Returns whether hosts are being asked for this person already."""
        ...

    def tells(self, comer: Comer) -> bool:
        """Returns whether this person may learn about the meeting."""
        ...

    def withdraw(self, device: str | None, visit: str | None = None) -> None:
        """Whoever uses this browser waits no longer; with a visit, only who asked last by that one."""
        ...


class OpenHouse:
    """Nobody has to wait."""

    def knock(self, name: str, comer: Comer, address: str, visit: str | None = None) -> Knock:
        return Knock.IN

    def waits(self, name: str, comer: Comer) -> bool:
        return False

    def tells(self, comer: Comer) -> bool:
        return True

    def withdraw(self, device: str | None, visit: str | None = None) -> None:
        pass


def answer_to(knock: Knock) -> web.Response:
    """Returns what somebody is told who does not come in now."""
    if knock is Knock.WAITING:
        return web.json_response({"waiting": True}, status=HTTPStatus.ACCEPTED)
    status, message = _ANSWERS[knock]
    return refuse(status, knock.value, message)
