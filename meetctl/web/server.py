"""The join page's server: the built page, and a token for whoever has an invite.

It knows no LiveKit secret: who is let in gets what `admit` returns. It never logs a path, a query or a body, since a
mistyped link may hold an invite there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, SecretStr

from meetctl.errors import ConflictError, MeetctlError, StandInError
from meetctl.protocol.likeness import sounds_like
from meetctl.reach.echo import ECHO_PATH, echo
from meetctl.reach.listener import TlsListener
from meetctl.reach.opening import Reach
from meetctl.reach.signaling import PATHS, SignalingProxy, turn_for
from meetctl.reach.way_in import WayIn
from meetctl.reach.words import AUTHORITY_PATH, TEST_PATH
from meetctl.web.direction import Directive, DirectRequest
from meetctl.web.gate import Gate, parse, refuse, too_many
from meetctl.web.host_requests import Decide, HostRequestsAsked
from meetctl.web.invites import Comer, ConnectionDetails, Invites, Role
from meetctl.web.links import Links, NotGood
from meetctl.web.lobby import TOLD_OUTSIDE, Knock, LobbyDesk, OpenHouse, WithdrawRequest, answer_to
from meetctl.web.people import DeviceSecret, ManageRequest, PeopleDesk, ReportRequest
from meetctl.web.policy import MAX_NAME_CHARACTERS, clean_name, hosts_of, is_own_origin, page_headers
from meetctl.web.rate import Bucket
from meetctl.web.trial import TRIAL_PATH, Trials

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 12_288
"""An invite and the longest words of a host fit, whatever their script."""
KEEP_ALIVE_S = 75.0
"""An idle connection is open no longer: whoever opens one needs no invite. A page asks every few seconds."""
SHUTDOWN_GRACE_S = 1.0
"""Runs out when a browser keeps a connection open; answers take milliseconds."""

JOINS_AT_ONCE = 40
"""By one invite: a class that opens one link at the same moment comes in."""
JOINS_A_SECOND = 1.0
"""And from then on. Each is a token, a line in the transcript and work for the chair."""
SPARE_JOINS = 10
"""Of the meeting beyond that: who floods by the guests' link does not keep the host out at once."""

NOBODYS = WayIn("http", frozenset())
"""Of a connection that is gone already."""
WRONG_HOST = "The proxy in front has to pass on the Host header that the browser sent."

_RESERVED = frozenset({TEST_PATH.strip("/"), "healthz", "favicon.ico", "rtc", AUTHORITY_PATH.strip("/")})
"""Paths of one segment that are not a room's."""
_FOREVER = "public, max-age=31536000, immutable"  # the names of built assets carry a hash of their content

_log = logging.getLogger(__name__)

Admit = Callable[[str, Comer], Awaitable[ConnectionDetails]]
Info = Callable[[], Mapping[str, Any]]
Direct = Callable[[Directive, str, str], Awaitable[object]]


class JoinRequest(BaseModel):
    """What the page sends to come in."""

    invite: str
    name: str
    device: DeviceSecret | None = None


class InfoRequest(BaseModel):
    """What the page sends to learn where the link leads, and whether a name may be taken for an agent's there."""

    invite: str
    device: DeviceSecret | None = None
    name: str | None = None


class PageServer:
    """Serves the join page of one meeting while entered.

    Args:
        room: its name is the page's path.
        livekit_url: the server that the page connects to, as the browser reaches it.
        admit: makes the connection details of a person with this name, who comes in so.
        info: what the page shows before a person joins: `topic` (str or None), `agents` (list of names),
            `transcript` (`files`, `memory` or `off`), `loopback_only` (True where the server has no other address
            for media).
        direct: does what a host asks: the directive, an agent's identity or name, the words. None = hosts ask nothing.
        cast: what a host sees of the agents: `floor` (identity or None) and `agents` (list of `identity`, `name`,
            `state`, `muted`, `can_speak`).
        people: knows who is there and does what a host asks with them; None = nobody asks.
        lobby: where people wait to be let in; None = nobody has to.
        requests: what waits for a host's word: a list of `id`, `kind`, `identity`, `name`, `what`, `detail`, `at`,
            `until`.
        decide: decides one of them. None = nobody can on the page.
        port: 0 = a free one.
        signaling: passes the page's signaling on to `livekit_url`; None = the page goes there itself.
        reach: the door to other machines; None = there is none.
        trials: answers visitors who test their connection; None = nobody can here.
        failed: told what nobody foresaw.

    Raises:
        StandInError: on entering, if the page is not built.
        ConflictError: on entering, if the port is taken.
    """

    def __init__(
        self,
        *,
        room: str,
        livekit_url: str,
        invites: Invites,
        admit: Admit,
        info: Info,
        direct: Direct | None = None,
        cast: Info = dict,
        people: PeopleDesk | None = None,
        lobby: LobbyDesk | None = None,
        requests: Callable[[], list[dict[str, Any]]] = list,
        decide: Decide | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        signaling: SignalingProxy | None = None,
        reach: Reach | None = None,
        trials: Trials | None = None,
        failed: Callable[[str, BaseException], object] = lambda doing, error: None,
        static: Path = STATIC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self.links = Links(invites, clock)
        self._gate = Gate(self.links, (lambda device: False) if people is None else people.keeps_out_device, clock)
        self._people = people
        self._lobby = lobby or OpenHouse()
        self._admit = admit
        self._info = info
        self._direct = direct
        self._cast = cast
        self._requests = requests
        self._decide = decide
        self._host = host
        self._port = port
        self._static = static
        self._clock = clock
        self._of_invite = {role: Bucket(JOINS_AT_ONCE, JOINS_A_SECOND) for role in Role}
        self._of_meeting = Bucket(JOINS_AT_ONCE + SPARE_JOINS, JOINS_A_SECOND)
        self._livekit_url = livekit_url
        self._signaling = signaling
        self._reach = reach
        self._trials = trials
        self._failed = failed
        self._ways: dict[tuple[str, int], WayIn] = {}
        """By the address that is listened on: each is asked under its own names alone."""
        self._assets: dict[str, Path] = {}
        self._listener: TlsListener | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Returns the page's origin, as `http://127.0.0.1:8080`."""
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{shown}:{self._port}"

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Returns everything that is answered: methods and paths, without a prefix before them."""
        return [(route.method, route.path) for route in self._routes()]

    def join_link(self, role: Role = Role.GUEST, *, local: bool = False) -> str:
        """Returns the link that lets a person in; the invite is in its fragment, which browsers never send.

        Args:
            local: for this machine alone, also where others can come in.
        """
        return self.link_of(self.links.invites.of(role), local=local)

    def link_of(self, invite: SecretStr, *, local: bool = False) -> str:
        """Returns the link with this invite."""
        url = self.url if self._reach is None or local else self._reach.url
        path = "" if self._room in _RESERVED else quote(self._room, safe="")
        return f"{url}/{path}#invite={invite.get_secret_value()}"

    def revoke(self) -> None:
        """Lets nobody in any more; who is in the room stays."""
        self._gate.revoked = True

    def close(self) -> None:
        """Tells whoever comes now that the meeting is over."""
        self._gate.closing = True

    async def __aenter__(self) -> PageServer:
        if not (self._static / "index.html").is_file():
            raise StandInError(f"the join page is not built: {self._static}/index.html is missing", hint="make page")
        self._assets = {file.name: file for file in (self._static / "assets").glob("*") if file.is_file()}
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.on_response_prepare.append(self._add_headers)
        app.add_routes(self._routes())
        if self._reach is not None and (base := self._reach.way_in.base):
            # A proxy may take the prefix away or leave it.
            app.add_routes([web.get(base, self._whole_base), *(_under(base, route) for route in self._routes())])
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=SHUTDOWN_GRACE_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise ConflictError(
                f"the join page cannot be served on {self._host}:{self._port}: {error.strerror}",
                hint="leave the port out and a free one is taken",
            ) from None
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        address, port = runner.addresses[0][:2]
        self._ways[address, port] = WayIn("http", hosts_of(self._host, self._port))
        if self._reach is not None:
            address, port = self._reach.listening.getsockname()[:2]
            self._ways[address, port] = self._reach.way_in
            await self._listen(self._reach, runner)
        return self

    def _routes(self) -> list[web.RouteDef]:
        signaling = self._signaling
        passed = [] if signaling is None else [web.get(path, signaling.handle, allow_head=False) for path in PATHS]
        return [
            web.get("/healthz", self._healthz),
            web.get("/favicon.ico", self._favicon),
            web.get("/assets/{name}", self._asset),
            web.post("/api/info", self._tell),
            web.post("/api/join", self._join),
            web.post("/api/withdraw", self._withdraw),
            web.post("/api/direct", self._carry_out),
            web.post("/api/manage", self._manage),
            web.post("/api/report", self._report),
            web.post("/api/requests", self._decide_on),
            web.post(TRIAL_PATH, self._try_out),
            web.get(ECHO_PATH, echo),
            web.get("/", self._page),
            web.get(TEST_PATH, self._trial_page),
            web.get(AUTHORITY_PATH, self._authority),
            *passed,
            web.get("/{room}", self._page),
        ]

    async def _listen(self, reach: Reach, runner: web.AppRunner) -> None:
        if reach.context is None:
            await web.SockSite(runner, reach.listening).start()
            return
        assert runner.server is not None
        turn = None if self._signaling is None else reach.media.turn
        self._listener = TlsListener(reach.listening, reach.context, runner.server, turn, self._failed)
        await self._listener.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._listener is not None:
            await self._listener.__aexit__(kind, error, trace)
            self._listener = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- every request ---------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response: web.StreamResponse
        way = self._way_of(request)
        request = way.as_asked(request)
        if request.host not in way.hosts:
            # Another name for this address: a foreign page that rebound its own name to the loopback.
            why = WRONG_HOST if way.is_behind_proxy else "This server is asked under a name not its own."
            response = refuse(HTTPStatus.FORBIDDEN, "foreign_host", why)
        elif not is_own_origin(request.headers.get("Origin"), request.host, request.scheme):
            response = refuse(HTTPStatus.FORBIDDEN, "foreign_origin", "The request comes from another site.")
        else:
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                response = refuse(HTTPStatus(refusal.status), _code_of(refusal.status), refusal.reason)
        resource = request.match_info.route.resource
        _log.debug("%s %s %d", request.method, resource.canonical if resource else "-", response.status)
        return response

    def _way_of(self, request: web.Request) -> WayIn:
        listened = request.get_extra_info("sockname", ())
        return self._ways.get(tuple(listened[:2]), NOBODYS)

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        is_known = request.host in self._way_of(request).hosts  # else it need not even be a host
        response.headers.update(page_headers(self._livekit_url_of(request) if is_known else self._livekit_url))
        response.headers.setdefault("Cache-Control", "no-store")

    # --- files -----------------------------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.StreamResponse:
        # The tab of an earlier meeting gets the page too: it finds out by its invite, and says so.
        is_here = request.match_info.get("room", self._room) == self._room
        status = HTTPStatus.OK if is_here else HTTPStatus.NOT_FOUND
        return web.FileResponse(self._static / "index.html", status=status, headers={"Cache-Control": "no-cache"})

    async def _trial_page(self, request: web.Request) -> web.StreamResponse:
        if self._trials is None:
            raise web.HTTPNotFound
        return web.FileResponse(self._static / "index.html", headers={"Cache-Control": "no-cache"})

    async def _whole_base(self, request: web.Request) -> web.StreamResponse:
        location = f"{self._way_of(request).base}/"
        return web.Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        # Only names listed at the start: no path is ever made of what a request says.
        file = self._assets.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return web.FileResponse(file, headers={"Cache-Control": _FOREVER})

    async def _authority(self, request: web.Request) -> web.StreamResponse:
        if self._reach is None or self._reach.authority is None:
            raise web.HTTPNotFound
        headers = {"Content-Disposition": 'attachment; filename="meetctl-authority.crt"'}
        return web.Response(body=self._reach.authority, content_type="application/x-x509-ca-cert", headers=headers)

    async def _favicon(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "closing" if self._gate.closing else "ok"})

    # --- coming in -------------------------------------------------------------------------------------------------

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, InfoRequest)
        comer = self._gate.let_in(asked.invite, request.remote, asked.device)
        if isinstance(comer, web.Response):
            return comer
        info, may_know = self._info(), self._lobby.tells(comer)
        if not may_know:
            info = {name: info[name] for name in TOLD_OUTSIDE & info.keys()} | {"admit": "ask"}
        told = {"room": self._room, "role": comer.role.value, **info, **self._beside()}
        if self._signaling is not None:
            told["echo"] = ECHO_PATH.strip("/")
        if comer.name is not None:
            told["name"] = comer.name
        if asked.name is not None and may_know:
            name = clean_name(asked.name)
            told["sounds_like"] = None if name is None else sounds_like(name, told.get("agents", ()))
        return web.json_response(told)

    async def _join(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, JoinRequest)
        comer = self._gate.let_in(asked.invite, request.remote, asked.device)
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
        if (knock := self._lobby.knock(name, comer, request.remote or "")) is not Knock.IN:
            return answer_to(knock)
        if not self.links.use(comer):
            return refuse(HTTPStatus.FORBIDDEN, NotGood.USED.value, "This link is for one browser: open it in one.")
        try:
            details = await self._admit(name, comer)
        except MeetctlError as error:
            # Its text is written for whoever runs the meeting, so it goes to the log, not to a guest.
            _log.warning("nobody can be let in: %s", error.message)
            return refuse(HTTPStatus.SERVICE_UNAVAILABLE, "cannot_admit", "The meeting could not let you in.")
        return web.json_response(
            {
                "livekit_url": self._livekit_url_of(request),
                "token": details.token.get_secret_value(),
                "identity": details.identity,
                "name": details.name,
                "room": details.room,
            }
        )

    async def _withdraw(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, WithdrawRequest)
        comer = self._gate.let_in(asked.invite, request.remote, asked.device)
        if isinstance(comer, web.Response):
            return comer
        self._lobby.withdraw(comer.device)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _try_out(self, request: web.Request) -> web.StreamResponse:
        if self._trials is None:
            raise web.HTTPNotFound
        media = None if self._reach is None else self._reach.media
        turn = None if media is None or media.turn_port is None else turn_for(request)
        return await self._trials.answer(
            request, livekit_url=self._livekit_url_of(request), turn=turn, authority=self._trust()
        )

    def _is_locked_for(self, comer: Comer) -> bool:
        people = self._people
        if people is None or not people.locked or comer.role is Role.HOST:
            return False
        return not people.knows_device(comer.device)

    def _livekit_url_of(self, request: web.Request) -> str:
        """Returns the server's address for who asks so: the page's own, where signaling passes here."""
        if self._signaling is None:
            return self._livekit_url
        return self._way_of(request).server_url(request.host)

    def _beside(self) -> Mapping[str, str]:
        """Returns where the authority's certificate is, for whoever is warned of it, and where ways are tested."""
        paths = {"authority": self._trust(), "trial": None if self._trials is None else TEST_PATH.strip("/")}
        return {name: path for name, path in paths.items() if path is not None}

    def _trust(self) -> str | None:
        return None if self._reach is None or self._reach.authority is None else AUTHORITY_PATH.strip("/")

    async def _carry_out(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, DirectRequest)
        host = self._gate.let_host_in(asked.invite, request.remote, asked.device)
        if isinstance(host, web.Response):
            return host
        if asked.do is not None and self._direct is not None:
            try:
                await self._direct(asked.do, asked.agent, asked.text)
            except MeetctlError as error:
                # Unlike a guest, a host is told: it is they who can mend it.
                return refuse(HTTPStatus.CONFLICT, error.code, error.message)
        return self._view()

    async def _manage(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, ManageRequest)
        host = self._gate.let_host_in(asked.invite, request.remote, asked.device)
        if isinstance(host, web.Response):
            return host
        if self._people is None:
            raise web.HTTPNotFound
        try:
            await self._people.manage(asked.do, asked.person)
        except MeetctlError as error:
            return refuse(HTTPStatus.CONFLICT, error.code, error.message)
        return self._view()

    async def _report(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, ReportRequest)
        comer = self._gate.let_in(asked.invite, request.remote, asked.device)
        if isinstance(comer, web.Response):
            return comer
        if self._people is None or not self._people.report(asked.device, asked.identity, asked.connection):
            return refuse(HTTPStatus.FORBIDDEN, "not_you", "Nobody joined under that identity from this browser.")
        return web.Response(status=HTTPStatus.NO_CONTENT)

    def _view(self) -> web.Response:
        """Returns how a host sees the meeting."""
        seen = dict(self._cast())
        if self._people is not None:
            seen["people"] = [person.model_dump() for person in self._people.people()]
            seen["locked"] = self._people.locked
        return web.json_response(seen)

    async def _decide_on(self, request: web.Request) -> web.StreamResponse:
        asked = await parse(request, HostRequestsAsked)
        host = self._gate.let_host_in(asked.invite, request.remote, asked.device)
        if isinstance(host, web.Response):
            return host
        if self._decide is None:
            raise web.HTTPNotFound
        if asked.allowed is not None:
            try:
                await self._decide(asked.id, allowed=asked.allowed, by=clean_name(asked.by) or "a host")
            except MeetctlError as error:
                return refuse(HTTPStatus.CONFLICT, error.code, error.message)
        return web.json_response({"requests": self._requests()})

    def _must_wait(self, role: Role) -> float:
        """Returns for how many seconds nobody more is let in by this invite, 0 = somebody is now."""
        buckets = (self._of_invite[role], self._of_meeting)
        wait_s = max(bucket.wait_s(self._clock()) for bucket in buckets)
        if wait_s == 0:
            for bucket in buckets:
                bucket.take()
        return wait_s


def _under(base: str, route: web.RouteDef) -> web.RouteDef:
    return web.RouteDef(route.method, base + route.path, route.handler, dict(route.kwargs))


def _code_of(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_")
