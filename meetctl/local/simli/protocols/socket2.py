"""The second generation: the offer, then the token as a message, on one WebSocket. Kept for clients that speak it."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSMsgType, web

from meetctl.local.simli.media.peer import Peer
from meetctl.local.simli.protocols.compose import (
    INVALID_TOKEN,
    OFFER_SECONDS,
    SocketHandler,
    converse,
    opened,
    receive_offer,
    say_and_close,
    say_goodbye,
    unavailable,
)
from meetctl.local.simli.protocols.token_routes import compact
from meetctl.local.simli.sessions.tokens import SessionRequest


class SecondGeneration(SocketHandler):
    """`WSS /StartWebRTCSession`: its clients count messages, so the order here is theirs."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serves one client until it leaves or its session ends."""
        faults = self.faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        socket = await opened(request)
        offer = await receive_offer(socket)
        if offer is None:
            return socket
        if faults.session_error is not None:
            await say_and_close(socket, faults.session_error)
            return socket
        async with Peer(self.stage.painters, video=not faults.never_video) as peer:
            try:
                sdp = await peer.answer(offer, self.config.codec)
            except ValueError as error:
                await say_and_close(socket, f"ERROR: SERVER ERROR IN INITIALIZATION: {error}")
                return socket
            await socket.send_str("ACK")
            await socket.send_str(compact({"sdp": sdp, "type": "answer"}))
            wanted = await self.introduction(socket)
            if wanted is None:
                return socket
            async with self.session(socket, wanted, faults) as session:
                peer.begin(session)
                session.say("ACK")
                await converse(session, socket, peer, start=not faults.never_start)
                await say_goodbye(session, socket)
        return socket

    async def introduction(self, socket: web.WebSocketResponse) -> SessionRequest | None:
        """Returns what the token of the next text message stands for; says what is wrong and closes otherwise."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OFFER_SECONDS):
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        wanted = self.tokens.find(message.data.strip())
                        if wanted is None:
                            await say_and_close(socket, INVALID_TOKEN)
                        return wanted
        await socket.close()
        return None
