"""The control socket: how a command speaks to the supervisor that holds the meeting.

One JSON line each way over a unix socket that only its owner can open; a connection may carry several requests. An
answer is `{"ok": …}` or `{"error": {code, message, hint}}`, and every request gets one: what nobody foresaw is told as
code `bug`. Some requests are answered by a stream: any number of `{"item": …}` lines before that answer, until the
command hangs up (or writes anything); it is the connection's last. Both sides say their `version`: a meeting goes on
with the meetctl that started it, whatever was installed since.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

import psutil

from meetctl import __version__
from meetctl.errors import ERRORS_BY_CODE, BugError, MeetctlError, NotRunningError, TimedOutError, UsageError
from meetctl.settings import SOCKET_PATH_LIMIT
from meetctl.supervisor.tasks import begun

REQUEST_LIMIT = 1 << 20
"""Bytes of one request or answer; the largest is the status of a big meeting."""
ANSWER_S = 5.0
"""A supervisor answers at once or is stuck; requests that wait for something bring their own time."""
HANG_UP_S = 1.0
"""A command reads its answer and hangs up in milliseconds; one that does not, loses the line."""
GOING_S = 2.0
"""From the last of a connection to the end of its process: where that ends, no answer was to be expected."""
_GOING_POLL_S = 0.02

Request = dict[str, Any]
Handler = Callable[[Request], Awaitable[Mapping[str, Any]]]
Bug = Callable[[str, BaseException], object]
"""Told what was asked for and what was raised, where nobody foresaw it."""
Stream = Callable[[Request], AsyncGenerator[Mapping[str, Any], None]]
"""It is asked for an item only when the one before has been taken, so it bounds itself what it holds back."""


class ControlServer:
    """Answers requests with the handler or stream named by their `do`; an async context manager.

    Args:
        bug: told of every exception that is no MeetctlError; whoever asked is told only of its class.
    """

    def __init__(
        self,
        path: Path,
        handlers: Mapping[str, Handler],
        streams: Mapping[str, Stream] = MappingProxyType({}),
        *,
        bug: Bug = lambda do, error: None,
    ) -> None:
        self._path = path
        self._handlers = handlers
        self._streams = streams
        self._bug = bug
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
                    await _pour(self._items(request, stream), reader, writer)
                    break
                await _write(writer, await self._answer(request))
        except ConnectionError:
            pass  # the command went away
        except ValueError:
            await _write_last(writer, UsageError(f"a request has at most {REQUEST_LIMIT} bytes"))
        except asyncio.CancelledError:
            # The meeting is over while this one still waited for something.
            await _write_last(writer, NotRunningError("the meeting ended meanwhile", hint="meetctl status"))
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, request: Request) -> bytes:
        """Returns the line that answers the request, whatever becomes of it."""
        if "do" not in request:
            return _error(UsageError("a request is one JSON object a line, with a `do`"))
        do = request["do"]
        handler = self._handlers.get(do)
        if handler is None:
            return _error(UsageError(f"unknown request {do!r}"))
        try:
            return _encoded({"ok": await handler(request)})
        except MeetctlError as error:
            return _error(error)
        except Exception as error:
            return _error(self._as_bug(do, error))

    async def _items(self, request: Request, stream: Stream) -> AsyncGenerator[bytes, None]:
        """Yields the lines that answer a request for a stream, whatever becomes of it."""
        try:
            async with contextlib.aclosing(stream(request)) as items:
                async for item in items:
                    yield _encoded({"item": item})
            yield _encoded({"ok": {}})
        except MeetctlError as error:
            yield _error(error)
        except Exception as error:
            yield _error(self._as_bug(request["do"], error))

    def _as_bug(self, do: str, error: Exception) -> BugError:
        """Returns what to tell of it: its text may hold anything, so that goes to the log alone."""
        self._bug(do, error)
        return BugError(
            f"unexpected {type(error).__name__} in `{do}`: this is a bug in meetctl",
            hint="please report it with the supervisor's log: meetctl logs supervisor",
        )


def _request(line: bytes) -> Request:
    """Returns the request of one line; an empty one where it is none."""
    try:
        request = json.loads(line)
    except ValueError:
        return {}
    return request if isinstance(request, dict) and isinstance(request.get("do"), str) else {}


def _encoded(answer: Mapping[str, Any]) -> bytes:
    return json.dumps({**answer, "version": __version__}).encode() + b"\n"


def _error(error: MeetctlError) -> bytes:
    return _encoded({"error": error.as_dict()})


async def _write(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(line)
    await writer.drain()


async def _write_last(writer: asyncio.StreamWriter, error: MeetctlError) -> None:
    """Writes what a connection ends with; it is sent while the loop goes on."""
    with contextlib.suppress(ConnectionError, RuntimeError):
        writer.write(_error(error))


async def _pour(lines: AsyncGenerator[bytes, None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Writes the lines until there are no more, or the command has had enough."""

    async def pour() -> None:
        async for line in lines:
            await _write(writer, line)

    pouring = begun(pour())
    enough = begun(reader.read(1))
    try:
        await asyncio.wait({pouring, enough}, return_when=asyncio.FIRST_COMPLETED)
        if pouring.done():
            pouring.result()  # a connection that broke is the server's to swallow
    finally:
        for task in (pouring, enough):
            task.cancel()
        await asyncio.gather(pouring, enough, return_exceptions=True)
        await lines.aclose()


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
        NotRunningError: if nobody listens, or the supervisor ended before it had answered.
        TimedOutError: if the answer does not come in time.
        BugError: if it neither answers nor ends.
        MeetctlError: what the supervisor answered.
    """
    try:
        async with asyncio.timeout(timeout_s), _connected(path) as (reader, writer):
            # A supervisor that refuses may close before it has read all of what is too long: its answer says why.
            with contextlib.suppress(ConnectionError):
                await _write(writer, _encoded(request))
            line = await reader.readline()
            return _answer_of(line) if line else await _unanswered(request, writer)
    except ConnectionError as error:
        raise _gone() from error
    except TimeoutError:
        raise TimedOutError(
            f"the supervisor did not answer `{request.get('do')}` within {timeout_s:.0f} s", hint="meetctl status"
        ) from None


async def follow(
    path: Path, request: Request, *, connect_timeout_s: float = ANSWER_S
) -> AsyncGenerator[dict[str, Any], None]:
    """Yields the items of a request that is answered by a stream, until it ends.

    Raises:
        NotRunningError: if nobody listens, or the supervisor died before it had said the last of it.
        TimedOutError: if the supervisor takes no connection.
        MeetctlError: what the supervisor answered.
    """
    connection = _connected(path)
    try:
        async with asyncio.timeout(connect_timeout_s):
            reader, writer = await connection.__aenter__()
    except TimeoutError:
        raise TimedOutError(f"the supervisor did not take `{request.get('do')}`", hint="meetctl status") from None
    try:
        await _write(writer, _encoded(request))
        while line := await reader.readline():
            answer = json.loads(line)
            if "item" not in answer:
                _answer_of(line)
                return
            yield answer["item"]
        await _unanswered(request, writer)
    except ConnectionError as error:
        raise _gone() from error
    finally:
        await connection.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def _connected(path: Path) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    """Gives a connection to the supervisor.

    Raises:
        NotRunningError: if nobody listens.
    """
    try:
        reader, writer = await _connect(path)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunningError("the meeting is just starting, or has just ended", hint="meetctl status") from error
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _unanswered(request: Request, writer: asyncio.StreamWriter) -> NoReturn:
    """Tells a supervisor that is gone from one that closed the connection without a word, and raises either."""
    pid = _peer(writer)
    until = time.monotonic() + GOING_S
    while pid is not None and _lives(pid):
        if time.monotonic() > until:
            raise BugError(
                f"the supervisor (pid {pid}) runs and did not answer `{request.get('do')}`",
                hint="please report it with the supervisor's log: meetctl logs supervisor",
            )
        await asyncio.sleep(_GOING_POLL_S)
    raise _gone()


def _peer(writer: asyncio.StreamWriter) -> int | None:
    """Returns the pid of whoever listens at the other end; None where the kernel does not say (macOS)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[0])


def _lives(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def _gone() -> NotRunningError:
    return NotRunningError("the meeting ended meanwhile", hint="meetctl status")


def _answer_of(line: bytes) -> dict[str, Any]:
    answer = json.loads(line)
    if "error" in answer:
        raise _error_of(answer["error"], answer.get("version"))
    ok: dict[str, Any] = answer["ok"]
    return ok


def _error_of(error: Mapping[str, str | None], version: str | None) -> MeetctlError:
    """Returns what the supervisor answered; where it may be its age that is to blame, its version is named."""
    code, message, hint = (error.get(key) or "" for key in ("code", "message", "hint"))
    error_class = ERRORS_BY_CODE.get(code, MeetctlError)
    if version != __version__ and error_class in (UsageError, BugError):
        message += f" (the meeting runs under meetctl {version or 'of an earlier version'}, this is {__version__})"
        hint = "meetctl down, then up again: a meeting goes on with the version that started it"
    return error_class(message, hint=hint or None)
