"""The one way to a local LiveKit server's signaling: four paths, by GET, for whoever is not kept out.

Everything else that the server answers to (its API, WHIP, agents, debugging) stays behind. Media does not pass here.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from meetctl.supervisor.tasks import begun

PATHS = ("/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate")
"""What LiveKit's clients ask for: the connection, in two generations, and why it was refused."""
_LONGEST_FIRST = sorted(PATHS, key=len, reverse=True)
ANSWER_S = 10.0
"""The server is on this machine and answers in milliseconds; cores may be busy."""
REWRITTEN = 3
"""Messages from the server that may name TURN servers: the answer to a join or a reconnect is the first."""
_TOKEN = "access_token"
_PASSED_ON = ("User-Agent", "Accept", "Accept-Language")


class SignalingProxy:
    """Passes signaling on while entered.

    Args:
        livekit_url: the server, `ws://` on loopback.
        room: whose people are told of TURN, and nobody else: a relay reaches more than the meeting. None = any.
        keeps_out: whether this identity may not come in, whatever its token says.
    """

    def __init__(
        self,
        livekit_url: str,
        *,
        room: str | None = None,
        keeps_out: Callable[[str], bool] = lambda identity: False,
    ) -> None:
        self._server = URL(livekit_url).with_scheme("http")
        self._room = room
        self._keeps_out = keeps_out
        self._session: aiohttp.ClientSession | None = None
        self._open: dict[str, set[web.WebSocketResponse]] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            # A connection is held for as long as somebody is there: how many that are is not bounded here.
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None, connect=ANSWER_S),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def drop(self, identity: str) -> None:
        """Ends the connections of that identity which pass here."""
        for socket in list(self._open.get(identity, ())):
            await socket.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request for one of `PATHS`; TURN is told of at the name and port that were asked for."""
        token = _one_token(request)
        identity = identity_of(token)
        if token is None or identity is None:
            return _refused(HTTPStatus.UNAUTHORIZED, "no_token", "There is no access token, or more than one.")
        if self._keeps_out(identity):
            return _refused(HTTPStatus.FORBIDDEN, "kept_out", "You were removed from this meeting.")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._connect(request, token, identity)
        return await self._ask(request, token)

    async def _ask(self, request: web.Request, token: str) -> web.StreamResponse:
        assert self._session is not None
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                self._session.get(
                    self._url(request, token), headers=_headers(request), allow_redirects=False
                ) as answer,
            ):
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return _refused(HTTPStatus.BAD_GATEWAY, "no_server", "The meeting's media server does not answer.")
        return web.Response(status=answer.status, body=body, content_type=answer.content_type)

    async def _connect(self, request: web.Request, token: str, identity: str) -> web.StreamResponse:
        assert self._session is not None
        try:
            async with asyncio.timeout(ANSWER_S):
                server = await self._session.ws_connect(
                    self._url(request, token),
                    headers=_headers(request),
                    autoping=False,
                    autoclose=False,
                    max_msg_size=0,
                    compress=0,
                )
        except aiohttp.WSServerHandshakeError as refusal:
            return _refused(HTTPStatus(refusal.status), "refused", "The media server refused the connection.")
        except (aiohttp.ClientError, TimeoutError):
            return _refused(HTTPStatus.BAD_GATEWAY, "no_server", "The meeting's media server does not answer.")
        visitor = web.WebSocketResponse(autoping=False, autoclose=False, compress=False)
        try:
            await visitor.prepare(request)  # raises where the visitor has gone meanwhile
            self._open.setdefault(identity, set()).add(visitor)
            await _pump_both(visitor, server, self._rewriting(request, token))
        finally:
            self._open.get(identity, set()).discard(visitor)
            if not self._open.get(identity):
                self._open.pop(identity, None)
            await server.close()
        return visitor

    def _rewriting(self, request: web.Request, token: str) -> Rewrite | None:
        """Returns what is done to the server's first messages, None where they stay as they are."""
        if self._room is not None and room_of(token) != self._room:
            return partial(with_turn_at, turn=None)
        turn = turn_for(request)
        return None if turn is None else partial(with_turn_at, turn=turn)

    def _url(self, request: web.Request, token: str) -> URL:
        # Written anew from what was read here: no second token that only the server would find.
        query = [(name, value) for name, value in request.query.items() if name != _TOKEN]
        path = next(path for path in _LONGEST_FIRST if request.path.endswith(path))
        return self._server.with_path(path).with_query([*query, (_TOKEN, token)])


def identity_of(token: str | None) -> str | None:
    """Returns whose token it says it is; the server is who checks that."""
    return _claim(token, "sub")


def room_of(token: str | None) -> str | None:
    """Returns for which room it says that it is."""
    return _claim(token, "video", "room")


def _claim(token: str | None, *names: str) -> str | None:
    try:
        payload = (token or "").split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        for name in names:
            found = found[name]
    except (IndexError, binascii.Error, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and found else None


def turn_for(request: web.Request) -> str | None:
    """Returns where TURN is for who asks so, None where that is not by TLS.

    The port is always named: left out, `turns:` means 5349, not 443.
    """
    if not request.secure:
        return None
    return f"turns:{request.url.host_subcomponent}:{request.url.port}?transport=tcp"


def with_turn_at(message: bytes, turn: str | None) -> bytes:
    """Returns the server's message with this address in place of every TURN server's over TLS; None = with none."""
    from google.protobuf.message import DecodeError
    from livekit.protocol import rtc

    try:
        response = rtc.SignalResponse.FromString(message)
    except DecodeError:
        return message
    which = response.WhichOneof("message")
    if which not in ("join", "reconnect"):
        return message
    if turn is None:
        getattr(response, which).ClearField("ice_servers")
    for server in getattr(response, which).ice_servers:
        server.urls[:] = [turn if url.startswith("turns:") else url for url in server.urls]
    rewritten: bytes = response.SerializeToString()
    return rewritten


def _one_token(request: web.Request) -> str | None:
    """Returns the only token that a request has, in its query as browsers send it or in its header as programs do."""
    found = request.query.getall(_TOKEN, [])
    for header in request.headers.getall("Authorization", []):
        found.append(header.removeprefix("Bearer "))
    return found[0] if len(found) == 1 else None


def _headers(request: web.Request) -> dict[str, str]:
    """Returns what the server is told: of who asks, only what we know ourselves."""
    passed = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    return passed | {"X-Forwarded-For": request.remote or ""}


Rewrite = Callable[[bytes], bytes]


async def _pump_both(
    visitor: web.WebSocketResponse, server: aiohttp.ClientWebSocketResponse, rewrite: Rewrite | None
) -> None:
    """Passes messages both ways until one side has ended, and tells the other why."""
    ways = [begun(_pump(visitor, server, None)), begun(_pump(server, visitor, rewrite))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pump(source: _Socket, sink: _Socket, rewrite: Rewrite | None) -> None:
    count = 0
    try:
        async for message in source:
            match message.type:
                case aiohttp.WSMsgType.BINARY:
                    count += 1
                    is_first = count <= REWRITTEN
                    await sink.send_bytes(rewrite(message.data) if rewrite and is_first else message.data)
                case aiohttp.WSMsgType.TEXT:
                    await sink.send_str(message.data)
                case aiohttp.WSMsgType.PING:
                    await sink.ping(message.data)
                case aiohttp.WSMsgType.PONG:
                    await sink.pong(message.data)
                case aiohttp.WSMsgType.CLOSE:
                    await source.close()
                    await sink.close(code=message.data or aiohttp.WSCloseCode.OK)
                    return
                case _:
                    return
        await sink.close(code=source.close_code or aiohttp.WSCloseCode.OK)
    except (ConnectionError, aiohttp.ClientError):
        return  # the other side has gone, which its own way tells


def _refused(status: HTTPStatus, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)
