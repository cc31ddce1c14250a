"""Whether a connection that stays open passes what stands in between: the server sends back what it was sent."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import web

ECHO_PATH = "/api/echo"
LASTS_S = 10.0
"""Whoever asks needs no invite, so nobody holds one for longer."""
CLOSE_S = 1.0
MOST_BYTES = 64
"""One such message never fills a socket, so sending it never waits for whoever does not read."""


async def echo(request: web.Request) -> web.StreamResponse:
    """Sends back one message; whoever asks ends the connection, so that nothing held back until then arrives."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPUpgradeRequired
    socket = web.WebSocketResponse(timeout=CLOSE_S, max_msg_size=MOST_BYTES, compress=False)
    await socket.prepare(request)
    try:
        async with asyncio.timeout(LASTS_S):
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data)
                await socket.receive()
    except (TimeoutError, ConnectionError):
        pass
    await socket.close()
    return socket
