"""One life of a child: its pipes pumped into events, and the ladder that ends it.

The ladder is `Stop` → stdin closed → SIGTERM to the group → SIGKILL to the group, within one deadline. Nothing here
decides whether to start again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from enum import StrEnum

from meetctl.protocol import MAX_LINE_BYTES, BadLine, Model, Stop, encode_line, parse_event
from meetctl.supervisor.events import WireEvent
from meetctl.supervisor.launcher import PIPE_LIMIT, Child, ProcessId
from meetctl.supervisor.lines import LineSplitter, TooLong
from meetctl.supervisor.logs import ChildLog
from meetctl.supervisor.sweep import group_exists
from meetctl.supervisor.tasks import begun

STOP_SHARE = 0.6
"""Of the time for the whole ladder: how long `Stop` and the closed stdin may take before SIGTERM."""
TERM_SHARE = 0.3
"""And SIGTERM before SIGKILL."""
KILL_REAP_S = 2.0
"""The kernel ends a killed process in milliseconds unless it is stuck in I/O."""
GROUP_POLL_S = 0.01
DRAIN_S = 0.5
"""A grandchild that keeps the pipes open must not keep a dead child's seat; the last lines come at once."""
WRITE_S = 5.0
"""A child that does not read its stdin for so long loses the message."""


class Wire(StrEnum):
    """What a child's stdout and stdin carry."""

    NDJSON = "ndjson"
    """Commands in, events out; it leaves when its stdin ends."""
    NONE = "none"
    """Free text; only signals end it."""


class ChildProcess:
    """Pumps one started child until it ends; an async context manager that never leaves it running."""

    def __init__(self, child: Child, *, wire: Wire, said: Callable[[WireEvent], None], log: ChildLog) -> None:
        self._child = child
        self._wire = wire
        self._said = said
        self._log = log
        self._pumps: list[asyncio.Task[None]] = []
        self._write_lock = asyncio.Lock()

    @property
    def pid(self) -> int:
        return self._child.id.pid

    @property
    def id(self) -> ProcessId:
        return self._child.id

    async def __aenter__(self) -> ChildProcess:
        pump_stdout = self._pump_events if self._wire is Wire.NDJSON else self._pump_text
        self._pumps = [
            begun(pump_stdout(self._child.stdout)),
            begun(self._pump_text(self._child.stderr, is_error=True)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._child.signal_group(signal.SIGKILL)
        await self._ended_within(KILL_REAP_S)
        await self._group_empty_within(KILL_REAP_S)
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        self._child.close()

    async def wait(self) -> int:
        """Waits for the end and for its last words; returns the code, negative for a signal."""
        code = await self._child.wait()
        await asyncio.wait(self._pumps, timeout=DRAIN_S)
        return code

    async def send(self, message: Model) -> bool:
        """Writes one command; returns False if the child no longer reads."""
        async with self._write_lock:
            try:
                self._child.stdin.write(encode_line(message))
                async with asyncio.timeout(WRITE_S):
                    await self._child.stdin.drain()
            except (OSError, TimeoutError, RuntimeError):
                return False
        return True

    async def stop(self, *, timeout_s: float, reason: str = "stopped") -> None:
        """Walks down the ladder; returns when the process has ended, however it had to be done."""
        if self._wire is Wire.NDJSON:
            await self.send(Stop(reason=reason))
            self._child.stdin.close()
            if await self._ended_within(timeout_s * STOP_SHARE):
                return
        self._child.signal_group(signal.SIGTERM)
        if await self._ended_within(timeout_s * (TERM_SHARE if self._wire is Wire.NDJSON else 1 - TERM_SHARE)):
            return
        self.kill()
        await self._ended_within(KILL_REAP_S)

    def kill(self) -> None:
        """Ends the whole group now."""
        self._child.signal_group(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> bool:
        """Sends the signal to the whole group of this very process; returns False if it has ended."""
        return self._child.id.is_alive() and self._child.signal_group(number)

    async def _ended_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._child.wait()
                return True
        return False

    async def _group_empty_within(self, seconds: float) -> None:
        """A killed grandchild is reaped by nobody here, and takes the kernel a moment more than its parent."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while group_exists(self.pid):
                    await asyncio.sleep(GROUP_POLL_S)

    async def _pump_events(self, stream: asyncio.StreamReader) -> None:
        async for line in _lines(stream):
            if isinstance(line, TooLong):
                event: WireEvent = BadLine(why=f"a line of {line.length} bytes, at most {MAX_LINE_BYTES}", start="")
            else:
                event = parse_event(line)
            if isinstance(event, BadLine):
                self._log.write(f"[not a message: {event.why}] {event.start}")
            self._said(event)

    async def _pump_text(self, stream: asyncio.StreamReader, *, is_error: bool = False) -> None:
        async for line in _lines(stream):
            if isinstance(line, TooLong):
                self._log.note(f"[a line of {line.length} bytes was dropped]")
            else:
                self._log.write(line.decode(errors="replace"), is_error=is_error)


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes | TooLong]:
    splitter = LineSplitter(MAX_LINE_BYTES)
    while chunk := await stream.read(PIPE_LIMIT):
        for line in splitter.feed(chunk):
            yield line
    for line in splitter.end():
        yield line
