"""Who may ask the page's server for what: an invite makes a role, and some are let in no more."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from meetctl.web.invites import Comer, Role
from meetctl.web.links import Links, NotGood
from meetctl.web.people import Invited
from meetctl.web.rate import Buckets

_Asked = TypeVar("_Asked", bound=BaseModel)
_Invited = TypeVar("_Invited", bound=Invited)

WRONG_AT_ONCE = 30
"""Wrong links from one address: an office behind one router may have an old link in many tabs."""
WRONG_A_SECOND = 0.5
BODY_S = 10.0
"""For the few kB that a page sends; they come before an invite is known, so nobody may take their time over them."""

_WORDS = {
    NotGood.WRONG: "This invite is wrong, or no longer valid.",
    NotGood.EXPIRED: "This link has run out.",
    NotGood.USED: "This link was for one browser, and another has used it.",
}


class Gate:
    """Judges invites.

    Args:
        keeps_out: whether whoever uses the browser with this secret was removed.
    """

    def __init__(
        self,
        links: Links,
        keeps_out: Callable[[str | None], bool] = lambda device: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.revoked = False
        """Nobody is let in any more."""
        self.closing = False
        """The meeting is over."""
        self._links = links
        self._keeps_out = keeps_out
        self._clock = clock
        self._tries = Buckets(WRONG_AT_ONCE, WRONG_A_SECOND)
        """By address: how often somebody there may still be wrong."""

    async def hear(self, request: web.Request, model: type[_Invited]) -> tuple[_Invited, Comer | web.Response]:
        """Returns what is asked, and as what whoever asks it comes in or what they are told."""
        asked = await parse(request, model)
        return asked, self.let_in(asked.invite, request.remote, asked.device)

    async def hear_host(self, request: web.Request, model: type[_Invited]) -> tuple[_Invited, Comer | web.Response]:
        """Returns the same of what only a host may ask."""
        asked = await parse(request, model)
        return asked, self.let_host_in(asked.invite, request.remote, asked.device)

    def let_in(self, invite: str, address: str | None, device: str | None = None) -> Comer | web.Response:
        """Returns as what somebody at this address comes in, or what they are told."""
        tries = self._tries[address or ""]
        if (wait_s := tries.wait_s(self._clock())) > 0:
            return too_many(wait_s, "Too many links that were wrong came from your network.")
        comer = self._links.comer(invite, device)
        if isinstance(comer, NotGood):
            tries.take()
            return refuse(HTTPStatus.FORBIDDEN, comer.value, _WORDS[comer])
        if self.revoked and not self.closing:
            return refuse(HTTPStatus.FORBIDDEN, NotGood.WRONG.value, _WORDS[NotGood.WRONG])
        if self.closing:
            return refuse(HTTPStatus.GONE, "meeting_closed", "This meeting is over.")
        if self._keeps_out(device):
            return refuse(HTTPStatus.FORBIDDEN, "removed", "You were removed from this meeting.")
        return comer

    def let_host_in(self, invite: str, address: str | None, device: str | None) -> Comer | web.Response:
        """Returns as what a host comes in, or what whoever has the invite is told."""
        comer = self.let_in(invite, address, device)
        if isinstance(comer, web.Response) or comer.role is Role.HOST:
            return comer
        return refuse(HTTPStatus.FORBIDDEN, "not_host", "This invite does not let you direct the meeting.")


async def parse(request: web.Request, model: type[_Asked]) -> _Asked:
    """Returns the body as that model; raises what aiohttp answers a bad request with."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise web.HTTPBadRequest from None  # the error's own text would repeat what was sent


def too_many(wait_s: float, why: str) -> web.Response:
    """Returns an answer that says when to try again."""
    seconds = str(math.ceil(wait_s))
    message = f"{why} Try again in {seconds} second(s)."
    return refuse(HTTPStatus.TOO_MANY_REQUESTS, "too_many", message, {"Retry-After": seconds})


def refuse(
    status: HTTPStatus, code: str, message: str, headers: Mapping[str, str] = MappingProxyType({})
) -> web.Response:
    """Returns an answer that says no, with a code for the page and a sentence for a person."""
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)
