"""A tool server as a child of ours: what it writes is read within bounds, and it ends whatever it does.

It stays in the agent's own process group, so whatever ends the agent ends it too. Its stdout is a pipe of ours and its
stderr is the agent's log; neither reaches the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import psutil
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp.types import jsonrpc_message_adapter

LONGEST_LINE = 32 * 1024 * 1024
"""Bytes of one message: a result of 10 MB, which servers write twice, is read; the model is told the start of it."""
MOST_LINES_PER_S = 2000
"""More is no conversation: it would keep the agent from speaking."""
LEAVE_S = 0.5
"""From the end of its stdin until it is told to end, and from then until it is killed."""

Gone = Callable[[str], None]
"""Told once why the process is of no use any more."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def child_streams(
    command: Sequence[str], env: Mapping[str, str], folder: str, gone: Gone
) -> AsyncIterator[TransportStreams]:
    """Runs the program; yields what it says and what it is told.

    Raises:
        OSError: if it cannot be started.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, env=dict(env), cwd=folder, limit=LONGEST_LINE
    )
    said, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    told, telling = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with asyncio.TaskGroup() as pumps:
            reading = pumps.create_task(_read(process, said, gone))
            writing = pumps.create_task(_write(process, telling))
            try:
                yield heard, told
            finally:
                reading.cancel()
                writing.cancel()
    finally:
        for stream in (said, heard, told, telling):
            stream.close()
        await asyncio.shield(_end(process))


async def _read(
    process: asyncio.subprocess.Process,
    said: MemoryObjectSendStream[SessionMessage | Exception],
    gone: Gone,
) -> None:
    assert process.stdout is not None
    pace = _Pace()
    try:
        while line := await process.stdout.readline():
            if pace.is_flood(time.monotonic()):
                gone(f"it floods: more than {MOST_LINES_PER_S} lines within a second")
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError:
                logger.warning("a tool server wrote a line that is no message: %r", line[:80])
                continue
            await said.send(SessionMessage(message))
        gone(f"its process ended{await _code(process)}")
    except ValueError:  # the line is longer than the limit
        gone(f"it wrote a message of more than {LONGEST_LINE // 1_000_000} MB")
    except anyio.BrokenResourceError:
        pass  # nobody listens any more
    finally:
        said.close()  # calls that wait learn that no answer comes


class _Pace:
    def __init__(self) -> None:
        self._since = 0.0
        self._lines = 0

    def is_flood(self, now: float) -> bool:
        if now - self._since >= 1:
            self._since, self._lines = now, 0
        self._lines += 1
        return self._lines > MOST_LINES_PER_S


async def _code(process: asyncio.subprocess.Process) -> str:
    try:
        async with asyncio.timeout(LEAVE_S):
            return f" with code {await process.wait()}"
    except TimeoutError:
        return ""


async def _write(process: asyncio.subprocess.Process, telling: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):
        async for told in telling:
            line = told.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(f"{line}\n".encode())
            await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its stdin, then tells it and what it started to end, then kills them."""
    family = _family(process.pid)
    assert process.stdin is not None
    process.stdin.close()
    if not await _ended(process):
        for each in family:
            with contextlib.suppress(psutil.Error):
                each.terminate()
        await _ended(process)
    for each in family:
        with contextlib.suppress(psutil.Error):
            each.kill()
    await _ended(process)
    process._transport.close()  # type: ignore[attr-defined]  # a grandchild may hold the other end for ever


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


async def _ended(process: asyncio.subprocess.Process) -> bool:
    until = time.monotonic() + LEAVE_S
    # Not `wait`: that waits for the end of its pipes too, which a grandchild may hold.
    while process.returncode is None and time.monotonic() < until:
        await asyncio.sleep(0.01)
    return process.returncode is not None
