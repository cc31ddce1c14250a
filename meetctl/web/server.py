"""The join page's server: where it listens, what every request has to pass, and who answers it.

It knows no LiveKit secret: who is let in gets what `admit` returns. It never logs a path, a query or a body, since a
mistyped link may hold an invite there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import SecretStr

from meetctl.errors import ConflictError
from meetctl.reach.echo import ECHO_PATH, echo
from meetctl.reach.listener import TlsListener
from meetctl.reach.opening import Reach
from meetctl.reach.signaling import PATHS, SignalingProxy, turn_for
from meetctl.reach.way_in import WayIn
from meetctl.reach.words import AUTHORITY_PATH, TEST_PATH
from meetctl.web.built_page import BuiltPage
from meetctl.web.coming_in import Admit, ComingIn, Info
from meetctl.web.gate import Gate, refuse
from meetctl.web.host_requests import Decide
from meetctl.web.hosting import Direct, Hosting
from meetctl.web.invites import Invites, Role
from meetctl.web.links import Links
from meetctl.web.lobby import LobbyDesk, OpenHouse
from meetctl.web.people import PeopleDesk
from meetctl.web.policy import hosts_of, page_headers
from meetctl.web.trial import TRIAL_PATH, Trials
from meetctl.web.ways import Ways

STATIC = Path(__file__).parent / "static"
MAX_BODY_BYTES = 12_288
"""An invite and the longest words of a host fit, whatever their script."""
KEEP_ALIVE_S = 75.0
"""An idle connection is open no longer: whoever opens one needs no invite. A page asks every few seconds."""
SHUTDOWN_GRACE_S = 1.0
"""Runs out when a browser keeps a connection open; answers take milliseconds."""

_RESERVED = frozenset({TEST_PATH.strip("/"), "healthz", "favicon.ico", "rtc", AUTHORITY_PATH.strip("/")})
"""Paths of one segment that are not a room's."""

_log = logging.getLogger(__name__)


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
        self._ways = Ways(livekit_url, passes_signaling=signaling is not None)
        self._trust = None if reach is None or reach.authority is None else AUTHORITY_PATH.strip("/")
        self._files = BuiltPage(
            static, room, authority=None if reach is None else reach.authority, has_trial=trials is not None
        )
        self._coming_in = ComingIn(
            room,
            links=self.links,
            gate=self._gate,
            ways=self._ways,
            admit=admit,
            info=info,
            people=people,
            lobby=lobby or OpenHouse(),
            paths=_told(
                authority=self._trust,
                trial=None if trials is None else TEST_PATH.strip("/"),
                echo=None if signaling is None else ECHO_PATH.strip("/"),
            ),
            clock=clock,
        )
        self._hosting = Hosting(self._gate, direct=direct, cast=cast, people=people, requests=requests, decide=decide)
        self._host = host
        self._port = port
        self._signaling = signaling
        self._reach = reach
        self._trials = trials
        self._failed = failed
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
        self._files.read()
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
        self._ways.add(address, port, WayIn("http", hosts_of(self._host, self._port)))
        if self._reach is not None:
            address, port = self._reach.listening.getsockname()[:2]
            self._ways.add(address, port, self._reach.way_in)
            await self._listen(self._reach, runner)
        return self

    def _routes(self) -> list[web.RouteDef]:
        signaling = self._signaling
        passed = [] if signaling is None else [web.get(path, signaling.handle, allow_head=False) for path in PATHS]
        return [
            web.get("/healthz", self._healthz),
            *self._files.routes,
            *self._coming_in.routes,
            *self._hosting.routes,
            web.post(TRIAL_PATH, self._try_out),
            web.get(ECHO_PATH, echo),
            *passed,
            self._files.rooms,
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

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        way = self._ways.of(request)
        request = way.as_asked(request)
        response: web.StreamResponse | None = self._ways.refusal(way, request)
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                response = refuse(HTTPStatus(refusal.status), _code_of(refusal.status), refusal.reason)
        resource = request.match_info.route.resource
        _log.debug("%s %s %d", request.method, resource.canonical if resource else "-", response.status)
        return response

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(page_headers(self._ways.sources_of(request)))
        response.headers.setdefault("Cache-Control", "no-store")

    async def _whole_base(self, request: web.Request) -> web.StreamResponse:
        location = f"{self._ways.of(request).base}/"
        return web.Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": location})

    async def _healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "closing" if self._gate.closing else "ok"})

    async def _try_out(self, request: web.Request) -> web.StreamResponse:
        if self._trials is None:
            raise web.HTTPNotFound
        media = None if self._reach is None else self._reach.media
        turn = None if media is None or media.turn_port is None else turn_for(request)
        return await self._trials.answer(
            request, livekit_url=self._ways.livekit_url_of(request), turn=turn, authority=self._trust
        )


def _told(**paths: str | None) -> dict[str, str]:
    return {name: path for name, path in paths.items() if path is not None}


def _under(base: str, route: web.RouteDef) -> web.RouteDef:
    return web.RouteDef(route.method, base + route.path, route.handler, dict(route.kwargs))


def _code_of(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_")
