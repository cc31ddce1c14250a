"""The first generation: an offer by POST, then token, speech and control over a data channel that the client made."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from meetctl.local.simli.config import Faults, ServerConfig
from meetctl.local.simli.faults import FaultBox, unprocessable
from meetctl.local.simli.media.peer import Peer
from meetctl.local.simli.protocols.compose import INVALID_TOKEN, OFFER_SECONDS, overruled, play_faults, unavailable
from meetctl.local.simli.protocols.token_routes import answer
from meetctl.local.simli.sessions.session import EndReason, SimliSession
from meetctl.local.simli.sessions.stage import Stage
from meetctl.local.simli.sessions.tokens import SessionRequest, SessionTokens

CHANNEL_SECONDS = OFFER_SECONDS
"""From the answer to the token: what an offer may take."""
EARLY_MESSAGES = 200
"""Kept from before the token; more is not sent by any client that means well."""
_GOODBYE_SECONDS = 0.2
"""aiortc has no way to wait until a data channel has sent what it holds; one round trip here is under 1 ms."""

_log = logging.getLogger("meetctl.simli")


class _Offer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sdp: str
    type: str
    session_token: str | None = None


class LegacyHandler:
    """`POST /StartWebRTCSession`, and the sessions that began there."""

    def __init__(self, config: ServerConfig, stage: Stage, tokens: SessionTokens, faults: FaultBox) -> None:
        self._config = config
        self._stage = stage
        self._tokens = tokens
        self._faults = faults
        self._conversations: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """Answers one offer; the session goes on after the response."""
        faults = self._faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        if faults.session_error is not None:
            return web.Response(status=500, text=faults.session_error)
        try:
            offer = _Offer.model_validate_json(await request.read())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "body"
            return answer(unprocessable(field, first["msg"], first["type"]), status=422)
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        conversation = asyncio.create_task(self._converse(offer, answered, faults))
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)
        try:
            return answer({"sdp": await answered, "type": "answer"})
        except ValueError as error:
            return web.Response(status=500, text=f"SERVER ERROR IN INITIALIZATION: {error}")

    async def close(self) -> None:
        """Lets the sessions that began here say goodbye, then ends them."""
        if self._conversations:
            await asyncio.wait(self._conversations, timeout=_GOODBYE_SECONDS * 3)
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _converse(self, offer: _Offer, answered: asyncio.Future[str], faults: Faults) -> None:
        if faults.never_answer:
            await asyncio.sleep(CHANNEL_SECONDS)
            answered.set_exception(ValueError("timed out"))
            return
        async with Peer(self._stage.painters, video=not faults.never_video) as peer:
            channel = _Channel(peer)
            try:
                answered.set_result(await peer.answer(offer.sdp, self._config.codec))
            except ValueError as error:
                answered.set_exception(error)
                return
            wanted = await self._introduction(channel, peer, offer)
            if wanted is not None:
                async with self._stage.session(overruled(wanted, faults)) as session:
                    await self._play(session, peer, channel, faults)

    async def _introduction(self, channel: _Channel, peer: Peer, offer: _Offer) -> SessionRequest | None:
        """Returns what the token stands for; the first text on the channel is the token."""
        try:
            async with asyncio.timeout(CHANNEL_SECONDS):
                token = await channel.token()
        except TimeoutError:
            _log.warning("no token came over the data channel within %.0f s", CHANNEL_SECONDS)
            return None
        wanted = self._tokens.find(token) or self._tokens.find(offer.session_token or "")
        if wanted is None:
            channel.send(INVALID_TOKEN)
            await asyncio.sleep(_GOODBYE_SECONDS)
        return wanted

    async def _play(self, session: SimliSession, peer: Peer, channel: _Channel, faults: Faults) -> None:
        peer.begin(session)
        if not faults.never_start:
            session.say("START")
        helpers = [
            asyncio.ensure_future(channel.pass_on(session)),
            asyncio.ensure_future(channel.send_words(session)),
            asyncio.ensure_future(play_faults(session, faults)),
            asyncio.ensure_future(session.ended.wait()),
            asyncio.ensure_future(peer.closed.wait()),
            asyncio.ensure_future(channel.closed.wait()),
        ]
        try:
            await asyncio.wait(helpers[3:], return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(ConnectionError):
                await _say_goodbye(session, channel)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)


class _Channel:
    """The client's data channel, whatever its label, once it has come."""

    def __init__(self, peer: Peer) -> None:
        self.closed = asyncio.Event()
        self._inbox: asyncio.Queue[str | bytes] = asyncio.Queue(EARLY_MESSAGES)
        self._session: SimliSession | None = None
        self._channel: Any = None
        peer.connection.on("datachannel", self._opened)

    def send(self, text: str) -> None:
        """Sends text; where the channel has closed, to nobody."""
        if self._channel is not None and self._channel.readyState == "open":
            self._channel.send(text)

    async def token(self) -> str:
        """Returns the first text; what came before it is put back in order."""
        early: list[str | bytes] = []
        while True:
            message = await self._inbox.get()
            if isinstance(message, str):
                break
            early.append(message)
        for item in early:
            self._inbox.put_nowait(item)
        return message

    async def pass_on(self, session: SimliSession) -> None:
        """Hands every message to the session, without end."""
        while not self._inbox.empty():
            session.receive(self._inbox.get_nowait())
        self._session = session

    async def send_words(self, session: SimliSession) -> None:
        """Sends what the session says, without end."""
        while True:
            self.send(await session.outbox.get())

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.on("message", self._received)
        channel.on("close", self.closed.set)

    def _received(self, message: str | bytes) -> None:
        if self._session is not None:
            self._session.receive(message)
        elif not self._inbox.full():
            self._inbox.put_nowait(message)


async def _say_goodbye(session: SimliSession, channel: _Channel) -> None:
    match session.end_reason:
        case EndReason.IDLE | EndReason.MAX | EndReason.DONE | EndReason.STOPPED:
            channel.send("STOP")
        case EndReason.INJECTED if session.last_words is not None:
            channel.send(session.last_words)
        case _:
            return
    await asyncio.sleep(_GOODBYE_SECONDS)
