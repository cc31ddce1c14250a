"""A real agent program as a child process, driven over the wire as the supervisor drives it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from meetctl.protocol import BadLine, Model, encode_line, parse_event

PATIENCE_S = 45.0
"""Importing livekit-agents takes 3 s on idle cores; on two that everybody tests on, ten times that was seen."""

Event = TypeVar("Event", bound=Model)


class Child:
    """Spawns `python -m MODULE`; async context manager that never leaves the process behind."""

    def __init__(self, module: str, *first: Model, arguments: tuple[str, ...] = ()) -> None:
        self._argv = (sys.executable, "-m", module, *arguments)
        self._first = first
        self.events: list[Model] = []
        self.errors = b""
        self._news = asyncio.Condition()
        self._pumps: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self._argv, stdin=pipe, stdout=pipe, stderr=pipe)
        self._pumps = [asyncio.create_task(self._read_events()), asyncio.create_task(self._read_errors())]
        for message in self._first:
            self.send(message)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await asyncio.gather(*self._pumps)
        assert self.process.stdin is not None
        self.process.stdin.close()
        if error is not None:
            error.add_note(f"{self._argv[2]} wrote:\n{self.errors[-6000:].decode(errors='replace')}")

    def send(self, message: Model) -> None:
        self.write(encode_line(message))

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def said(self, kind: type[Event]) -> list[Event]:
        """Returns the events of that kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def wait_said(
        self,
        kind: type[Event],
        holds: Callable[[Event], bool] = lambda event: True,
        *,
        after: int = 0,
        within: float = PATIENCE_S,
    ) -> Event:
        """Waits for the first event of that kind, from the `after`th event on, for which the condition holds."""

        def found() -> Event | None:
            matching = (event for event in self.events[after:] if isinstance(event, kind) and holds(event))
            return next(matching, None)

        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    async def wait_exit(self, within: float = PATIENCE_S) -> int:
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def _read_events(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            async with self._news:
                self.events.append(parse_event(line))
                self._news.notify_all()

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(4096):
            self.errors += chunk

    @property
    def bad_lines(self) -> list[BadLine]:
        return self.said(BadLine)
