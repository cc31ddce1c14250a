"""The control socket: how a command speaks to the supervisor that holds the meeting.

One JSON line each way over a unix socket that only its owner can open; a connection may carry several requests. An
answer is `{"ok": …}` or `{"error": {code, message, hint}}`. Some requests are answered by a stream: any number of
`{"item": …}` lines before that answer, until the command hangs up (or writes anything); it is the connection's last.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from meetctl.errors import ERRORS_BY_CODE, MeetctlError, NotRunningError, TimedOutError
from meetctl.settings import SOCKET_PATH_LIMIT

REQUEST_LIMIT = 1 << 20
"""Bytes of one request or answer; the largest is the status of a big meeting."""
ANSWER_S = 5.0
"""A supervisor answers at once or is stuck; requests that wait for something bring their own time."""
HANG_UP_S = 1.0
"""A command reads its answer and hangs up in milliseconds; one that does not, loses the line."""

Request = dict[str, Any]
Handler = Callable[[Request], Awaitable[Mapping[str, Any]]]
Stream = Callable[[Request], AsyncGenerator[Mapping[str, Any], None]]
"""It is asked for an item only when the one before has been taken, so it bounds itself what it holds back."""


class ControlServer:
    """Answers requests with the handler or stream named by their `do`; an async context manager."""

    def __init__(
        self, path: Path, handlers: Mapping[str, Handler], streams: Mapping[str, Stream] = MappingProxyType({})
    ) -> None:
        self._path = path
        self._handlers = handlers
        self._streams = streams
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> ControlServer:
        self._path.unlink(missing_ok=True)
        with contextlib.ExitStack() as unless_served:
            listener = unless_served.enter_context(socket.socket(socket.AF_UNIX))
            with address_of(self._path) as address:
                listener.bind(address)
            # Nobody can connect before it listens, so no moment is open to others; a umask would hold for every
            # process that is started meanwhile.
            self._path.chmod(0o600)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=REQUEST_LIMIT)
            unless_served.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        # Whoever asked for the end is still to read the answer; it hangs up when it has.
        if self._connections:
            await asyncio.wait(self._connections, timeout=HANG_UP_S)
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while line := await reader.readline():
                request = _request(line)
                if (stream := self._streams.get(request.get("do", ""))) is not None:
                    await _pour(stream(request), reader, writer)
                    break
                await _write(writer, await self._answer(request))
        except (ConnectionError, ValueError):
            pass  # the command went away, or wrote more than any request holds
        except asyncio.CancelledError:
            pass  # the meeting is over; the socket closes below
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request) -> dict[str, Any]:
        handler = self._handlers.get(request.get("do", ""))
        if "do" not in request:
            return {"error": {"code": "usage", "message": "a request is one JSON object a line", "hint": None}}
        if handler is None:
            return {"error": {"code": "usage", "message": f"unknown request {request['do']!r}", "hint": None}}
        try:
            return {"ok": await handler(request)}
        except MeetctlError as error:
            return {"error": error.as_dict()}


def _request(line: bytes) -> Request:
    """Returns the request of one line; an empty one where it is none."""
    try:
        request = json.loads(line)
    except ValueError:
        return {}
    return request if isinstance(request, dict) and isinstance(request.get("do"), str) else {}


async def _write(writer: asyncio.StreamWriter, answer: Mapping[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


async def _pour(
    items: AsyncGenerator[Mapping[str, Any], None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Writes the items until there are no more, or the command has had enough."""

    async def pour() -> None:
        try:
            async for item in items:
                await _write(writer, {"item": item})
            await _write(writer, {"ok": {}})
        except MeetctlError as error:
            await _write(writer, {"error": error.as_dict()})

    pouring = asyncio.create_task(pour())
    enough = asyncio.create_task(reader.read(1))
    try:
        await asyncio.wait({pouring, enough}, return_when=asyncio.FIRST_COMPLETED)
        if pouring.done():
            pouring.result()  # a connection that broke is the server's to swallow, anything else a bug
    finally:
        for task in (pouring, enough):
            task.cancel()
        await asyncio.gather(pouring, enough, return_exceptions=True)
        await items.aclose()


@contextlib.contextmanager
def address_of(path: Path) -> Iterator[str]:
    """Yields what the kernel is told of a socket at this path, which may be longer than the kernel takes."""
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        yield os.fspath(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with address_of(path) as address:
        return await asyncio.open_unix_connection(address, limit=REQUEST_LIMIT)


async def ask(path: Path, request: Request, *, timeout_s: float = ANSWER_S) -> dict[str, Any]:
    """Sends one request and returns its answer.

    Raises:
        NotRunningError: if nobody listens.
        TimedOutError: if the answer does not come in time.
        MeetctlError: what the supervisor answered.
    """
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await _connect(path)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (FileNotFoundError, ConnectionError) as error:
        raise NotRunningError("the meeting ended meanwhile", hint="meetctl status") from error
    except TimeoutError:
        raise TimedOutError(
            f"the supervisor did not answer `{request.get('do')}` within {timeout_s:.0f} s", hint="meetctl status"
        ) from None
    return _answer_of(line)


async def follow(
    path: Path, request: Request, *, connect_timeout_s: float = ANSWER_S
) -> AsyncGenerator[dict[str, Any], None]:
    """Yields the items of a request that is answered by a stream, until it ends.

    Raises:
        NotRunningError: if nobody listens, or the supervisor died before it had said the last of it.
        TimedOutError: if the supervisor takes no connection.
        MeetctlError: what the supervisor answered.
    """
    try:
        async with asyncio.timeout(connect_timeout_s):
            reader, writer = await _connect(path)
    except (FileNotFoundError, ConnectionError) as error:
        raise NotRunningError("the meeting ended meanwhile", hint="meetctl status") from error
    except TimeoutError:
        raise TimedOutError(f"the supervisor did not take `{request.get('do')}`", hint="meetctl status") from None
    try:
        await _write(writer, request)
        while True:
            line = await reader.readline()
            answer = json.loads(line) if line else {}
            if "item" not in answer:
                _answer_of(line)
                return
            yield answer["item"]
    except ConnectionError as error:
        raise NotRunningError("the meeting ended meanwhile", hint="meetctl status") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _answer_of(line: bytes) -> dict[str, Any]:
    if not line:
        raise NotRunningError("the meeting ended meanwhile", hint="meetctl status")
    answer = json.loads(line)
    if "error" in answer:
        error_class = ERRORS_BY_CODE.get(answer["error"]["code"], MeetctlError)
        raise error_class(answer["error"]["message"], hint=answer["error"]["hint"])
    ok: dict[str, Any] = answer["ok"]
    return ok
