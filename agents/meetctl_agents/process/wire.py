"""The child's end of the wire: lines in from the supervisor, lines out to it. Knows pipes and bytes, nothing of rooms.

Reading and writing have a thread each, so that neither a full pipe nor a busy loop can hold up the other side. The
real stdin and stdout are moved away from file descriptors 0 and 1 first: a stray `print` of any library then lands in
the log and not between two messages.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable
from typing import IO

from meetctl.protocol import (
    MAX_LINE_BYTES,
    BadLine,
    Command,
    Model,
    Stop,
    Warn,
    encode_line,
    parse_command,
)

Report = Callable[[Model], None]
"""Writes one line to the supervisor; from any thread; never waits."""

BACKLOG_LINES = 10_000
"""A supervisor that reads nothing for this long is lost; what comes after is dropped, memory is not."""
FLUSH_S = 1.0
"""At exit: how long the supervisor may take to read the last lines."""

logger = logging.getLogger(__name__)


class LineWriter:
    """Writes messages to a file descriptor, in order, from a thread of its own."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: queue.Queue[bytes | None] = queue.Queue(BACKLOG_LINES)
        self._thread = threading.Thread(target=self._run, name="wire-out", daemon=True)
        self._thread.start()

    def report(self, message: Model) -> None:
        try:
            self._lines.put_nowait(encode_line(message))
        except queue.Full:
            logger.error("the supervisor reads nothing; dropped: %s", type(message).__name__)

    def flush(self) -> None:
        """Waits, at most `FLUSH_S`, until everything reported is written; the writer is of no use afterwards."""
        try:
            self._lines.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(FLUSH_S)

    def _run(self) -> None:
        broken = False
        while (line := self._lines.get()) is not None:
            while line and not broken:
                try:
                    line = line[os.write(self._fd, line) :]
                except OSError:
                    broken = True  # the supervisor is gone; EOF on stdin says the same and ends us


class LineReader:
    """Reads commands from a stream in a thread and hands them to the loop; None stands for the end of the stream.

    `farewell` is called in that thread when a `Stop` or the end comes: the loop may be blocked and never see it.
    """

    def __init__(self, stream: IO[bytes], report: Report, farewell: Callable[[], None]) -> None:
        self._stream = stream
        self._report = report
        self._farewell = farewell
        self.commands: asyncio.Queue[Command | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="wire-in", daemon=True).start()

    def _run(self) -> None:
        while line := self._read_line():
            match parse_command(line):
                case BadLine(why=why):
                    logger.warning("not a command: %s", why)
                    self._report(Warn(message=f"a line on stdin is no command: {why}"))
                case command:
                    self._hand_over(command)
        self._hand_over(None)

    def _read_line(self) -> bytes:
        try:
            line = self._stream.readline(MAX_LINE_BYTES + 1)
            while line and not line.endswith(b"\n") and len(line) > MAX_LINE_BYTES:
                rest = self._stream.readline(MAX_LINE_BYTES + 1)
                line = b"(too long)\n" if rest.endswith(b"\n") or not rest else rest
        except OSError:
            return b""
        return line

    def _hand_over(self, command: Command | None) -> None:
        if command is None or isinstance(command, Stop):
            self._farewell()
        try:
            self._loop.call_soon_threadsafe(self.commands.put_nowait, command)
        except RuntimeError:
            logger.debug("the loop is closed")  # at exit; nobody waits for the command


def claim_standard_streams() -> tuple[IO[bytes], int]:
    """Moves the wire to descriptors of its own; returns (commands in, descriptor for events out).

    Afterwards descriptor 0 reads nothing and descriptor 1 writes to stderr.
    """
    commands = os.fdopen(os.dup(0), "rb")
    events = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return commands, events
