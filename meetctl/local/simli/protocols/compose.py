"""The current protocol: one WebSocket that signals and carries speech, and WebRTC media beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

from aiohttp import WSMsgType, web

from meetctl.local.simli.config import Faults, ServerConfig
from meetctl.local.simli.faults import FaultBox
from meetctl.local.simli.media.peer import Peer
from meetctl.local.simli.protocols.token_routes import answer, compact
from meetctl.local.simli.sessions.session import EndReason, SimliSession
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest, SessionTokens

OFFER_SECONDS = 30.0
"""As documented: an offer that has not come by then will not come."""
CONNECT_SECONDS = 30.0
"""ICE and DTLS of a client that answers take under a second on one machine."""
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Two minutes of speech; PLAY_IMMEDIATE of the Python client is 128 014 bytes."""
INVALID_TOKEN = "ERROR: INVALID_SESSION_TOKEN"
_PING_SECONDS = 20.0
_TRANSPORT = "transport"

_log = logging.getLogger("meetctl.simli")


class SocketHandler:
    """What every WebSocket endpoint does: find the token, open the session, carry messages, say goodbye."""

    def __init__(self, config: ServerConfig, stage: Stage, tokens: SessionTokens, faults: FaultBox) -> None:
        self.config = config
        self.stage = stage
        self.tokens = tokens
        self.faults = faults

    @contextlib.asynccontextmanager
    async def session(
        self, socket: web.WebSocketResponse, request: SessionRequest, faults: Faults
    ) -> AsyncIterator[SimliSession]:
        """Opens a session whose words go out on the socket, until the block ends."""
        async with self.stage.session(overruled(request, faults)) as session, asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(send_words(session, socket)), tasks.create_task(play_faults(session, faults))]
            try:
                yield session
            finally:
                for helper in helpers:
                    helper.cancel()


class ComposeP2P(SocketHandler):
    """`/compose/webrtc/p2p`."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serves one client until it leaves or its session ends."""
        faults = self.faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        socket = await opened(request)
        wanted = self.tokens.find(request.query.get("session_token", ""))
        # Heard out even where it will be refused: told sooner, the JavaScript client closes the connection that its own
        # offer is still being made of, and then waits for that offer for ever.
        offer = await receive_offer(socket)
        if offer is None:
            return socket
        if faults.session_error is not None:
            await say_and_close(socket, faults.session_error)
        elif wanted is None:
            await say_and_close(socket, INVALID_TOKEN)
        else:
            await self._serve(socket, wanted, offer, faults)
        return socket

    async def _serve(self, socket: web.WebSocketResponse, wanted: SessionRequest, offer: str, faults: Faults) -> None:
        async with self.session(socket, wanted, faults) as session:
            async with Peer(self.stage.painters, video=not faults.never_video) as peer:
                peer.begin(session)
                if not faults.never_answer:
                    try:
                        sdp = await peer.answer(offer, self.config.codec)
                    except ValueError as error:
                        await say_and_close(socket, f"ERROR: SERVER ERROR IN INITIALIZATION: {error}")
                        return
                    session.say(compact({"sdp": sdp, "type": "answer"}))
                await converse(session, socket, peer, start=not (faults.never_start or faults.never_answer))
            await say_goodbye(session, socket)


def unavailable(faults: Faults) -> web.Response:
    """Returns the refusal of a session before it began."""
    return answer({"detail": "Service Unavailable"}, status=faults.socket_status or 503)


async def opened(request: web.Request) -> web.WebSocketResponse:
    """Returns the WebSocket of an upgrade request."""
    socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, max_msg_size=MAX_MESSAGE_BYTES)
    await socket.prepare(request)
    socket[_TRANSPORT] = request.transport
    return socket


async def receive_offer(socket: web.WebSocketResponse) -> str | None:
    """Returns the SDP of the client's first message; says what is wrong and closes otherwise."""
    try:
        message = await socket.receive(OFFER_SECONDS)
    except TimeoutError:
        await say_and_close(socket, "ERROR: NO OFFER RECEIVED")
        return None
    if message.type is not WSMsgType.TEXT:
        await socket.close()
        return None
    with contextlib.suppress(ValueError, TypeError, KeyError):
        body = json.loads(message.data)
        if body["type"] == "offer" and isinstance(body["sdp"], str):
            return str(body["sdp"])
    await say_and_close(socket, "ERROR: INVALID OFFER")
    return None


async def converse(session: SimliSession, socket: web.WebSocketResponse, peer: Peer, *, start: bool) -> None:
    """Carries messages and media until the session is over, the client has gone, or the peer cannot connect."""
    waits = [
        asyncio.ensure_future(read_socket(session, socket)),
        asyncio.ensure_future(session.ended.wait()),
        asyncio.ensure_future(peer.closed.wait()),
        asyncio.ensure_future(_start_when_connected(session, peer, start=start)),
    ]
    try:
        await asyncio.wait(waits[:3], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def read_socket(session: SimliSession, socket: web.WebSocketResponse) -> None:
    """Passes the client's messages to the session until it leaves."""
    async for message in socket:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            session.receive(message.data)


async def send_words(session: SimliSession, socket: web.WebSocketResponse) -> None:
    """Sends what the session says."""
    with contextlib.suppress(ConnectionError):
        while True:
            await socket.send_str(await session.outbox.get())


async def play_faults(session: SimliSession, faults: Faults) -> None:
    """Ends the session as the faults ask for; they count from the first media."""
    await session.flowing.wait()
    if faults.error_after_s is not None:
        await asyncio.sleep(faults.error_after_s)
        session.last_words = faults.error_text
    elif faults.drop_after_s is not None:
        await asyncio.sleep(faults.drop_after_s)
    else:
        return
    session.end(EndReason.INJECTED)


async def say_goodbye(session: SimliSession, socket: web.WebSocketResponse) -> None:
    """Says why the session is over, in the order the clients expect, and closes."""
    with contextlib.suppress(ConnectionError):
        match session.end_reason:
            case EndReason.IDLE | EndReason.MAX:
                for word in ("ENDFRAME", f"CLOSING REASON: {session.end_reason}", "STOP"):
                    await socket.send_str(word)
            case EndReason.DONE | EndReason.STOPPED:
                await socket.send_str("STOP")
            case EndReason.INJECTED | EndReason.NOT_JOINED if session.last_words is not None:
                await socket.send_str(session.last_words)
            case EndReason.INJECTED:
                cut(socket)
                return
            case _:
                pass
        await socket.close()


async def say_and_close(socket: web.WebSocketResponse, word: str) -> None:
    """Sends one last message."""
    with contextlib.suppress(ConnectionError):
        await socket.send_str(word)
        await socket.close()


def cut(socket: web.WebSocketResponse) -> None:
    """Drops the connection as a failing network would: no closing handshake."""
    transport = socket[_TRANSPORT]
    if transport is not None:
        transport.abort()


def overruled(request: SessionRequest, faults: Faults) -> SessionRequest:
    """Returns the request with the limits that the faults set."""
    limits = {"max_session_s": faults.max_session_s, "max_idle_s": faults.max_idle_s}
    return request.model_copy(update={name: limit for name, limit in limits.items() if limit is not None})


async def _start_when_connected(session: SimliSession, peer: Peer, *, start: bool) -> None:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await peer.connected.wait()
    except TimeoutError:
        _log.warning("session %s: no ICE connection within %.0f s", session.id, CONNECT_SECONDS)
        session.end(EndReason.CLIENT_GONE)
        return
    if start:
        session.say("START")
