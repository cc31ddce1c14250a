"""What hosts ask of the page's server: to direct agents, to manage people, to decide what waits for a host's word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from meetctl.errors import MeetctlError
from meetctl.web.direction import Directive, DirectRequest
from meetctl.web.gate import Gate, refuse
from meetctl.web.host_requests import Decide, HostRequestsAsked
from meetctl.web.people import ManageRequest, PeopleDesk
from meetctl.web.policy import clean_name

Direct = Callable[[Directive, str, str], Awaitable[object]]


class Hosting:
    """Answers hosts, and tells everybody else that they are none.

    Args:
        direct: does what a host asks: the directive, an agent's identity or name, the words. None = hosts ask nothing.
        cast: what a host sees of the agents.
        people: knows who is there and does what a host asks with them; None = nobody asks.
        requests: what waits for a host's word.
        decide: decides one of them. None = nobody can on the page.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        direct: Direct | None,
        cast: Callable[[], Mapping[str, Any]],
        people: PeopleDesk | None,
        requests: Callable[[], list[dict[str, Any]]],
        decide: Decide | None,
    ) -> None:
        self._gate = gate
        self._direct = direct
        self._cast = cast
        self._people = people
        self._requests = requests
        self._decide = decide

    @property
    def routes(self) -> list[web.RouteDef]:
        """Returns what is answered here."""
        return [
            web.post("/api/direct", self._carry_out),
            web.post("/api/manage", self._manage),
            web.post("/api/requests", self._decide_on),
        ]

    async def _carry_out(self, request: web.Request) -> web.StreamResponse:
        asked, host = await self._gate.hear_host(request, DirectRequest)
        if isinstance(host, web.Response):
            return host
        if asked.do is not None and self._direct is not None:
            if (refused := await _refused(self._direct(asked.do, asked.agent, asked.text))) is not None:
                return refused
        return self._view()

    async def _manage(self, request: web.Request) -> web.StreamResponse:
        asked, host = await self._gate.hear_host(request, ManageRequest)
        if isinstance(host, web.Response):
            return host
        if self._people is None:
            raise web.HTTPNotFound
        if (refused := await _refused(self._people.manage(asked.do, asked.person))) is not None:
            return refused
        return self._view()

    async def _decide_on(self, request: web.Request) -> web.StreamResponse:
        asked, host = await self._gate.hear_host(request, HostRequestsAsked)
        if isinstance(host, web.Response):
            return host
        if self._decide is None:
            raise web.HTTPNotFound
        if asked.allowed is not None:
            decided = self._decide(asked.id, allowed=asked.allowed, by=clean_name(asked.by) or "a host")
            if (refused := await _refused(decided)) is not None:
                return refused
        return web.json_response({"requests": self._requests()})

    def _view(self) -> web.Response:
        """Returns how a host sees the meeting."""
        seen = dict(self._cast())
        if self._people is not None:
            seen["people"] = [person.model_dump() for person in self._people.people()]
            seen["locked"] = self._people.locked
        return web.json_response(seen)


async def _refused(work: Awaitable[object]) -> web.Response | None:
    """Does what a host asks; returns what they are told where it cannot be: unlike a guest, a host can mend it."""
    try:
        await work
    except MeetctlError as error:
        return refuse(HTTPStatus.CONFLICT, error.code, error.message)
    return None
