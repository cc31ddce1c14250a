"""The life of an agent program: read an Assignment, join its room, run a body until told to stop, leave, exit.

Every program (`simli`, `audio`, `chair`) is a body handed to `run_program`. What ends it: `Stop`, the end of stdin
(the supervisor is gone), SIGTERM, falling out of the room, or an exception of the body. Whatever happens, the process
ends within a bound, and its last line says why if nobody asked for it.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

from livekit import rtc

from meetctl.errors import LiveKitError, MeetctlError
from meetctl.protocol import Assignment, Command, Failed, Stop, Warn
from meetctl.protocol.steps import STEPS

from .process.allowance import LOG_LINES, Allowances, Verdict
from .process.masking import Mask, masker_of
from .process.shell import Shell, run_in_shell
from .process.wire import LineReader, Report
from .room.joining import join, leave, why_disconnected

Inbox = asyncio.Queue[Command]
"""Commands that came after the Assignment, `Stop` excepted."""
Body = Callable[[rtc.Room, Assignment, Report, Inbox], Awaitable[None]]
"""What a program does while it is in the room; cancelled when it is to leave."""

TERMINATED = 128 + signal.SIGTERM
"""Exit code, as a shell would give it."""
ASSIGNMENT_S = 60.0
"""A supervisor writes it at once; a person who starts a program by hand has the time to paste it."""
LEAVE_BODY_S = 4.0
"""What a cancelled body may take to say goodbye to others (an avatar session costs money while it is open)."""
SHOWN = 200
"""Characters of an exception that nobody expected."""
LOG_HINT = "its log has the traceback: `meetctl logs`"

logger = logging.getLogger(__name__)


def run_program(body: Body) -> NoReturn:
    """Runs the body as this process's only work and exits: 0 when told to leave, 1 when it failed."""
    run_in_shell(lambda shell: _Program(body, shell).run())


class _Program:
    """One run of a body."""

    def __init__(self, body: Body, shell: Shell) -> None:
        self._body = body
        self._shell = shell
        self._report = shell.report
        self._inbox: Inbox = asyncio.Queue()
        self._unread = Allowances(*LOG_LINES)
        self._leave = asyncio.Event()
        self._exit_code = 0
        self._failed: Failed | None = None

    async def run(self) -> int:
        """Returns the exit code."""
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_unread)
        loop.add_signal_handler(signal.SIGTERM, self._on_sigterm)
        reader = LineReader(self._shell.commands, self._report, self._shell.end_for_certain)
        try:
            assignment = await self._first(reader)
        except MeetctlError as error:
            self._report(Failed(code=error.code, message=error.message, hint=error.hint, permanent=True))
            return 1
        if assignment is None:
            return self._exit_code
        self._shell.hide(masker_of(assignment))
        STEPS.note("wait for its assignment", began)
        STEPS.tell(self._report if assignment.tells_steps else None)
        following = asyncio.create_task(self._follow(reader))
        try:
            await self._attend(assignment)
        finally:
            following.cancel()
        if self._failed is None:
            return self._exit_code
        self._report(self._failed)
        return 1

    async def _first(self, reader: LineReader) -> Assignment | None:
        leaving = asyncio.create_task(self._leave.wait())
        reading = asyncio.create_task(reader.commands.get())
        done, _ = await asyncio.wait({leaving, reading}, timeout=ASSIGNMENT_S, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if reading not in done:
            reading.cancel()
            if leaving in done:
                return None
            raise NoAssignmentError(f"no assignment on stdin within {ASSIGNMENT_S:.0f} s", hint=HOW_TO_START)
        match reading.result():
            case Assignment() as assignment:
                return assignment
            case None | Stop():
                return None
            case other:
                raise NoAssignmentError(
                    f"the first line on stdin is a {other.type}, not an assignment", hint=HOW_TO_START
                )

    async def _follow(self, reader: LineReader) -> None:
        while True:
            match await reader.commands.get():
                case None:
                    if not self._leave.is_set():
                        logger.info("stdin ended: the supervisor is gone")
                    self._order_to_leave()
                case Stop(reason=reason):
                    logger.info("told to stop: %s", reason)
                    self._order_to_leave()
                case Assignment():
                    logger.warning("a second assignment is ignored")
                case command:
                    self._inbox.put_nowait(command)

    async def _attend(self, assignment: Assignment) -> None:
        room = rtc.Room()  # inside the loop: one made before it connects, but its events never fire
        leaving = asyncio.create_task(self._leave.wait())
        work = asyncio.create_task(self._work(room, assignment))
        await asyncio.wait({leaving, work}, return_when=asyncio.FIRST_COMPLETED)
        self._order_to_leave()
        work.cancel()
        await asyncio.wait({work}, timeout=LEAVE_BODY_S)
        if not work.done():
            logger.error("the body did not end within %.0f s of being cancelled", LEAVE_BODY_S)
        await leave(room)

    async def _work(self, room: rtc.Room, assignment: Assignment) -> None:
        @room.on("disconnected")
        def on_disconnected(reason: rtc.DisconnectReason.ValueType) -> None:
            if not self._leave.is_set():
                self._failed = why_disconnected(reason, assignment)
                self._order_to_leave()

        try:
            with STEPS.step("join the room"):
                await join(room, assignment)
            await self._body(room, assignment, self._report, self._inbox)
        except Exception as error:
            logger.exception("failed")
            self._failed = self._failed or failure_of(error, self._shell.mask)

    def _on_unread(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Takes what nobody else did: the exception of a callback, or of a task that nobody waits for."""
        error = context.get("exception")
        if isinstance(error, asyncio.CancelledError):
            return  # whoever it was for has gone
        loop.default_exception_handler(context)
        if error is not None and self._unread.take(type(error).__name__, time.monotonic()) is Verdict.TAKEN:
            words = f"{type(error).__name__}: {error}"[:SHOWN]
            self._report(Warn(message=f"a fault inside: {self._shell.mask(words)}", hint=LOG_HINT))

    def _on_sigterm(self) -> None:
        # Not the supervisor's way: somebody's `kill`, or the media library, which ends its process so when it breaks.
        # The seat is to be filled again, so this is no ending in order.
        self._exit_code = TERMINATED
        self._order_to_leave()

    def _order_to_leave(self) -> None:
        self._leave.set()
        self._shell.end_for_certain()


class NoAssignmentError(MeetctlError):
    """The program was started by something that does not speak the wire."""

    code = "no_assignment"


HOW_TO_START = "agent programs are started by `meetctl up`; agents/README.md shows how to start one by hand"


def failure_of(error: Exception, mask: Mask) -> Failed:
    """Returns the last line of a body that ended by this exception."""
    leaves = _leaves(error)
    known = [leaf for leaf in leaves if isinstance(leaf, MeetctlError)]
    if known:
        text = mask(known[0].message)
        return Failed(code=known[0].code, message=text, hint=known[0].hint, permanent=_is_permanent(known[0]))
    first = leaves[0]
    text = mask(f"{type(first).__name__}: {first}")
    return Failed(code="crashed", message=text, hint=LOG_HINT)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


PERMANENT = frozenset({"missing_model", "model", "no_face"})
"""Codes of faults that only another assignment mends."""


def _is_permanent(error: MeetctlError) -> bool:
    refused = isinstance(error, LiveKitError) and " 401 " in f" {error.message} ".replace(",", " ")
    return refused or error.code in PERMANENT
