"""`/compose/webrtc/livekit`: media in a room of its own on our LiveKit server, signals on the WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from meetctl.local.simli.config import Faults, LiveKitAccess
from meetctl.local.simli.media.publisher import RoomPublisher
from meetctl.local.simli.protocols.compose import (
    INVALID_TOKEN,
    SocketHandler,
    opened,
    read_socket,
    say_and_close,
    say_goodbye,
    unavailable,
)
from meetctl.local.simli.protocols.socket2 import SecondGeneration
from meetctl.local.simli.protocols.token_routes import compact
from meetctl.local.simli.sessions.session import EndReason, SimliSession
from meetctl.local.simli.sessions.tokens import SessionRequest

JOIN_SECONDS = 30.0
"""As documented: a client that has not joined by then will not."""
TOKEN_LIFE = datetime.timedelta(minutes=10)
"""To enter the room; who is in stays in."""
ROOM_IDLE_SECONDS = 30
"""The LiveKit server deletes a room left empty; the session deletes it itself before."""
NOT_JOINED = "CLIENT NOT CONNECTED TO LIVEKIT ROOM"
ROOM_PREFIX = "simli-"
_FACE, _CLIENT = "simli", "client"

_log = logging.getLogger("meetctl.simli")


class ComposeLiveKit(SocketHandler):
    """`/compose/webrtc/livekit`, and the second generation's `/StartWebRTCSessionLivekit`."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serves one client, whose token is in the query."""
        faults = self.faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        socket = await opened(request)
        wanted = self.tokens.find(request.query.get("session_token", ""))
        if wanted is None:
            await say_and_close(socket, INVALID_TOKEN)
        else:
            await self._serve(socket, wanted, faults)
        return socket

    async def handle_second_generation(self, request: web.Request) -> web.StreamResponse:
        """Serves one client, whose token is its first message."""
        faults = self.faults.for_session()
        if faults.socket_status is not None:
            return unavailable(faults)
        socket = await opened(request)
        token_routes = SecondGeneration(self.config, self.stage, self.tokens, self.faults)
        wanted = await token_routes.introduction(socket)
        if wanted is not None:
            await self._serve(socket, wanted, faults)
        return socket

    async def _serve(self, socket: web.WebSocketResponse, wanted: SessionRequest, faults: Faults) -> None:
        access = self.config.livekit
        if faults.session_error is not None:
            await say_and_close(socket, faults.session_error)
        elif access is None:
            await say_and_close(socket, "ERROR: LIVEKIT IS NOT SET UP ON THIS SERVER (--livekit-file)")
        else:
            async with self.session(socket, wanted, faults) as session:
                try:
                    room = f"{ROOM_PREFIX}{session.id}"
                    async with _room(access, room):
                        await self._play(socket, session, access, room, faults)
                except ConnectionError as error:
                    await say_and_close(socket, f"ERROR: {error}")
                await say_goodbye(session, socket)

    async def _play(
        self, socket: web.WebSocketResponse, session: SimliSession, access: LiveKitAccess, room: str, faults: Faults
    ) -> None:
        async with RoomPublisher(session, self.stage.painters, video=not faults.never_video) as publisher:
            client_here, client_gone = asyncio.Event(), asyncio.Event()
            publisher.room.on("participant_connected", lambda _: client_here.set())
            publisher.room.on("participant_disconnected", lambda _: client_gone.set())
            await publisher.join(access.url, _token(access, room, _FACE, publish=True))
            size = session.face.size
            # In this order: older clients block their event loop until the metadata has come.
            session.say(compact({"video_metadata": {"fps": session.fps, "width": size, "height": size}}))
            if not faults.never_answer:
                token = _token(access, room, _CLIENT, publish=False)
                session.say(compact({"livekit_url": access.url, "livekit_token": token}))
            await publisher.publish()
            waits = [
                asyncio.ensure_future(read_socket(session, socket)),
                asyncio.ensure_future(session.ended.wait()),
                asyncio.ensure_future(publisher.left.wait()),
                asyncio.ensure_future(client_gone.wait()),
                asyncio.ensure_future(_start_when_joined(session, client_here, start=not faults.never_start)),
            ]
            try:
                await asyncio.wait(waits[:4], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)


async def _start_when_joined(session: SimliSession, client_here: asyncio.Event, *, start: bool) -> None:
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            await client_here.wait()
    except TimeoutError:
        session.last_words = NOT_JOINED
        session.end(EndReason.NOT_JOINED)
        return
    if start:
        session.say("START")


@contextlib.asynccontextmanager
async def _room(access: LiveKitAccess, name: str) -> AsyncIterator[None]:
    """Creates a room for the length of the block."""
    from aiohttp import ClientError
    from livekit import api

    async with api.LiveKitAPI(access.url, access.api_key, access.api_secret.get_secret_value()) as livekit:
        try:
            await livekit.room.create_room(api.CreateRoomRequest(name=name, empty_timeout=ROOM_IDLE_SECONDS))
        except (api.TwirpError, ClientError, TimeoutError) as error:
            raise ConnectionError(f"no room on the LiveKit server: {error}") from None
        try:
            yield
        finally:
            with contextlib.suppress(api.TwirpError, ClientError, TimeoutError):
                await livekit.room.delete_room(api.DeleteRoomRequest(room=name))


def _token(access: LiveKitAccess, room: str, identity: str, *, publish: bool) -> str:
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, can_publish=publish, can_subscribe=not publish)
    token = api.AccessToken(access.api_key, access.api_secret.get_secret_value())
    return token.with_identity(identity).with_grants(grants).with_ttl(TOKEN_LIFE).to_jwt()
