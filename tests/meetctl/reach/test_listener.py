"""One TLS port: a letter first and it is HTTP, a small number and it is TURN, silence and it is closed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from meetctl.local.ports import LOOPBACK
from meetctl.reach import listener
from meetctl.reach.listener import TlsListener
from meetctl.reach.opening import Reach

STUN = b"\x00\x01\x00\x00\x21\x12\xa4\x42"
LOT = b"x" * 3_000_000
"""More than any buffer between holds."""


@pytest.fixture
async def turn() -> AsyncIterator[int]:
    """Yields the port of a server that gives back what it gets, as TURN would answer."""

    echoing: set[asyncio.Task[None] | None] = set()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echoing.add(asyncio.current_task())
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(30):
            await asyncio.gather(*filter(None, echoing))


async def answer(request: web.Request) -> web.Response:
    return web.json_response({"peer": request.remote, "secure": request.secure})


def context_of(reach: Reach) -> ssl.SSLContext:
    assert reach.context is not None
    return reach.context


@pytest.fixture
async def open_door(reach: Reach, turn: int) -> AsyncIterator[Reach]:
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    async with TlsListener(reach.listening, context_of(reach), runner.server, (LOOPBACK, turn)):
        yield reach
    await runner.cleanup()


async def connected(reach: Reach, trusting: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(LOOPBACK, reach.port, ssl=trusting, limit=2**24)


async def test_a_request_is_answered_as_http_and_its_peer_is_known(open_door: Reach, trusting: ssl.SSLContext) -> None:
    reader, writer = await connected(open_door, trusting)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answered = await reader.read()
    assert answered.startswith(b"HTTP/1.1 200") and answered.endswith(b'{"peer": "127.0.0.1", "secure": true}')
    writer.close()


async def test_what_begins_as_turn_reaches_the_turn_server_whole_and_so_does_its_answer(
    open_door: Reach, trusting: ssl.SSLContext
) -> None:
    reader, writer = await connected(open_door, trusting)
    writer.write(STUN)
    assert await reader.readexactly(len(STUN)) == STUN
    writer.write(LOT)
    assert await reader.readexactly(len(LOT)) == LOT
    writer.close()


async def test_who_says_nothing_is_not_kept(
    open_door: Reach, trusting: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "FIRST_BYTE_S", 0.05)
    reader, writer = await connected(open_door, trusting)
    assert await reader.read() == b""
    writer.close()


async def test_without_a_turn_server_nobody_is_left_waiting(reach: Reach, trusting: ssl.SSLContext) -> None:
    async with TlsListener(reach.listening, context_of(reach), asyncio.Protocol, None):
        reader, writer = await connected(reach, trusting)
        writer.write(STUN)
        assert await reader.read() == b""
        writer.close()


async def test_at_the_end_relays_are_closed(reach: Reach, trusting: ssl.SSLContext, turn: int) -> None:
    async with TlsListener(reach.listening, context_of(reach), asyncio.Protocol, (LOOPBACK, turn)):
        reader, writer = await connected(reach, trusting)
        writer.write(STUN)
        await reader.readexactly(len(STUN))
    with pytest.raises((ConnectionError, ssl.SSLError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
