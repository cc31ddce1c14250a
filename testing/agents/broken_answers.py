"""Fifty ways in which a service may answer wrongly, and a server that answers byte for byte as it is told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

PAUSE_S = 0.02
"""Between two bytes of a slow answer."""


class Then(Enum):
    """What the server does after its bytes."""

    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    SLOWLY = auto()
    """The bytes come one by one, the last of them never."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is written to the connection."""

    name: str
    content: bytes
    then: Then = Then.CLOSE

    @property
    def takes_patience(self) -> bool:
        return self.then in (Then.HANG, Then.SLOWLY)


def http(body: bytes, *, status: str = "200 OK", kind: str | None = "application/json", more: str = "") -> bytes:
    """Returns a whole answer."""
    type_ = f"Content-Type: {kind}\r\n" if kind is not None else ""
    length = "" if more.startswith(("Content-Length", "Transfer-Encoding")) else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status}\r\n{type_}{length}Connection: close\r\n{more}\r\n".encode("latin-1") + body


def broken_replies(good: bytes, field: str, *, kind: str = "application/json") -> list[Reply]:
    """Returns the ways; `good` is the right body, of that content type, and `field` the key of what is wanted."""
    half = good[: len(good) // 2]
    codes = (204, 302, 304, 400, 401, 402, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504, 599)
    statuses = [f"{code} Odd" for code in codes]
    values: list[Any] = [None, 3, 1e999, True, [], [None], {}, {"text": None}]
    headers = {
        "no type": http(half, kind=None),
        "a page": http(b"<html><body>Sign in</body></html>", kind="text/html"),
        "an unknown charset": http(b"\xff\xfe{", kind="application/json; charset=klingon"),
        "not utf-8": http(b'{"%s": "\xff\xc3("}' % field.encode(), kind="application/json; charset=utf-8"),
        "a picture": http(b"\x89PNG\r\n\x1a\n" + bytes(64), kind="image/png"),
        "too long a length": http(half, more=f"Content-Length: {len(half) + 100}\r\n"),
        "a length that is none": http(half, more="Content-Length: many\r\n"),
        "no gzip": http(half, more="Content-Encoding: gzip\r\n"),
        "broken chunks": http(b"zz\r\n" + half, more="Transfer-Encoding: chunked\r\n"),
        "half a chunk": http(b"ff\r\n" + half, more="Transfer-Encoding: chunked\r\n"),
        "a header that is none": http(half, more="\x00\x01 broken\r\n"),
        "a huge header": http(half, more=f"X-Huge: {'x' * 100_000}\r\n"),
        "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
        "a redirect to itself": http(b"", status="307 Temporary Redirect", more="Location: /\r\n"),
    }
    bodies = [b"", b"null", b"3", b"true", b"[]", b"{}", b'"text"', b"NaN", b"[" * 100_000, b"{" + half, half[:-1]]
    return [
        *(Reply(status, http(b'{"error": {"message": "no"}}', status=status)) for status in statuses),
        *(Reply(name, content) for name, content in headers.items()),
        *(Reply(f"body {body[:8]!r}", http(body, kind=kind)) for body in bodies),
        *(Reply(f"{field} is {value}", http(json.dumps({field: value}).encode())) for value in values),
        Reply("nothing", b""),
        Reply("a reset", b"", Then.RESET),
        Reply("half of the headers", b"HTTP/1.1 200 OK\r\nContent-", Then.RESET),
        Reply("half of the body", http(half, more=f"Content-Length: {len(good)}\r\n"), Then.RESET),
        Reply("no answer", b"", Then.HANG),
        Reply("headers only", http(b"", kind=kind, more=f"Content-Length: {len(good)}\r\n"), Then.HANG),
        Reply("byte by byte", http(good, kind=kind), Then.SLOWLY),
    ]


class ScriptedServer:
    """Answers every request with the present reply."""

    def __init__(self) -> None:
        self.url = ""
        self.reply = Reply("nothing", b"")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await read_request(reader)
            await write_reply(self.reply, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has had enough, or the test
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Returns path and body of an HTTP request."""
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode()
    length = re.search(rb"content-length: *(\d+)", head.lower())
    if length is not None:
        return path, await reader.readexactly(int(length[1]))
    if b"transfer-encoding: chunked" in head.lower():
        return path, await reader.readuntil(b"0\r\n\r\n")
    return path, b""


async def write_reply(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers so; the caller closes the connection."""
    if reply.then is Then.SLOWLY:
        for byte in reply.content[:-1]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(PAUSE_S)
    else:
        writer.write(reply.content)
        await writer.drain()
    if reply.takes_patience:
        await reader.read()  # until the client gives up, or the test does
    if reply.then is Then.RESET:
        writer.transport.abort()


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """Yields a server on a free port of the loopback."""
    scripted = ScriptedServer()
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        task.add_done_callback(connections.discard)
        await scripted._serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    try:
        scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield scripted
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
