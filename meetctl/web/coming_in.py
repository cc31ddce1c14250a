"""What people ask of the page's server: where a link leads, to come in, to wait no longer; and how their page fares."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from meetctl.errors import MeetctlError
from meetctl.protocol.likeness import sounds_like
from meetctl.web.gate import Gate, refuse, too_many
from meetctl.web.invites import Comer, ConnectionDetails, Role
from meetctl.web.links import Links, NotGood
from meetctl.web.lobby import TOLD_OUTSIDE, Knock, LobbyDesk, VisitNumber, WithdrawRequest, answer_to
from meetctl.web.people import Invited, PeopleDesk, ReportRequest
from meetctl.web.policy import MAX_NAME_CHARACTERS, clean_name
from meetctl.web.rate import Bucket
from meetctl.web.ways import Ways

JOINS_AT_ONCE = 40
"""By one invite: a class that opens one link at the same moment comes in."""
JOINS_A_SECOND = 1.0
"""And from then on. Each is a token, a line in the transcript and work for the chair."""
SPARE_JOINS = 10
"""Of the meeting beyond that: who floods by the guests' link does not keep the host out at once."""

_log = logging.getLogger(__name__)

Admit = Callable[[str, Comer], Awaitable[ConnectionDetails]]
Info = Callable[[], Mapping[str, Any]]


class JoinRequest(Invited):
    """What the page sends to come in."""

    name: str
    visit: VisitNumber | None = None


class InfoRequest(Invited):
    """What the page sends to learn where the link leads, and whether a name may be taken for an agent's there."""

    name: str | None = None


class ComingIn:
    """Answers whoever has an invite.

    Args:
        room: where the links lead.
        admit: makes the connection details of a person with this name, who comes in so.
        info: what the page shows before a person joins.
        people: knows who is there; None = nobody asks.
        lobby: where people wait to be let in.
        paths: what the page is told of the server's own paths, beside `info`.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        room: str,
        *,
        links: Links,
        gate: Gate,
        ways: Ways,
        admit: Admit,
        info: Info,
        people: PeopleDesk | None,
        lobby: LobbyDesk,
        paths: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self._links = links
        self._gate = gate
        self._ways = ways
        self._admit = admit
        self._info = info
        self._people = people
        self._lobby = lobby
        self._paths = paths
        self._clock = clock
        self._of_invite = {role: Bucket(JOINS_AT_ONCE, JOINS_A_SECOND) for role in Role}
        self._of_meeting = Bucket(JOINS_AT_ONCE + SPARE_JOINS, JOINS_A_SECOND)

    @property
    def routes(self) -> list[web.RouteDef]:
        """Returns what is answered here."""
        return [
            web.post("/api/info", self._tell),
            web.post("/api/join", self._join),
            web.post("/api/withdraw", self._withdraw),
            web.post("/api/report", self._report),
        ]

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        asked, comer = await self._gate.hear(request, InfoRequest)
        if isinstance(comer, web.Response):
            return comer
        info, may_know = self._info(), self._lobby.tells(comer)
        if not may_know:
            info = {name: info[name] for name in TOLD_OUTSIDE & info.keys()} | {"admit": "ask"}
        told = {"room": self._room, "role": comer.role.value, **info, **self._paths}
        if comer.name is not None:
            told["name"] = comer.name
        if asked.name is not None and may_know:
            name = clean_name(asked.name)
            told["sounds_like"] = None if name is None else sounds_like(name, told.get("agents", ()))
        return web.json_response(told)

    async def _join(self, request: web.Request) -> web.StreamResponse:
        asked, comer = await self._gate.hear(request, JoinRequest)
        if isinstance(comer, web.Response):
            return comer
        name = clean_name(comer.name or asked.name)
        if name is None:
            return refuse(
                HTTPStatus.BAD_REQUEST, "bad_name", f"A name has 1 to {MAX_NAME_CHARACTERS} visible characters."
            )
        if self._is_locked_for(comer):
            self._lobby.withdraw(comer.device)
            return refuse(HTTPStatus.LOCKED, "locked", "A host has locked this meeting. Nobody new comes in.")
        if not self._lobby.waits(name, comer) and (wait_s := self._must_wait(comer.role)) > 0:
            return too_many(wait_s, "Many people are coming in at this moment.")
        if (knock := self._lobby.knock(name, comer, request.remote or "", asked.visit)) is not Knock.IN:
            return answer_to(knock)
        if not self._links.use(comer):
            return refuse(HTTPStatus.FORBIDDEN, NotGood.USED.value, "This link is for one browser: open it in one.")
        try:
            details = await self._admit(name, comer)
        except MeetctlError as error:
            # Its text is written for whoever runs the meeting, so it goes to the log, not to a guest.
            _log.warning("nobody can be let in: %s", error.message)
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, "cannot_admit", "The meeting could not let you in.")
        return web.json_response(
            {
                "livekit_url": self._ways.livekit_url_of(request),
                "token": details.token.get_secret_value(),
                "identity": details.identity,
                "name": details.name,
                "room": details.room,
            }
        )

    async def _withdraw(self, request: web.Request) -> web.StreamResponse:
        asked, comer = await self._gate.hear(request, WithdrawRequest)
        if isinstance(comer, web.Response):
            return comer
        self._lobby.withdraw(comer.device, asked.visit)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _report(self, request: web.Request) -> web.StreamResponse:
        asked, comer = await self._gate.hear(request, ReportRequest)
        if isinstance(comer, web.Response):
            return comer
        if self._people is None or not self._people.report(asked.device, asked.identity, asked.connection):
            return refuse(HTTPStatus.FORBIDDEN, "not_you", "Nobody joined under that identity from this browser.")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _is_locked_for(self, comer: Comer) -> bool:
        people = self._people
        if people is None or not people.locked or comer.role is Role.HOST:
            return False
        return not people.knows_device(comer.device)

    def _must_wait(self, role: Role) -> float:
        """Returns for how many seconds nobody more is let in by this invite, 0 = somebody is now."""
        buckets = (self._of_invite[role], self._of_meeting)
        wait_s = max(bucket.wait_s(self._clock()) for bucket in buckets)
        if wait_s == 0:
            for bucket in buckets:
                bucket.take()
        return wait_s
