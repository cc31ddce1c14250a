"""Keeps one seat filled: starts its process, gives it its first line, watches it, starts it again or gives up."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meetctl.errors import MeetctlError, StandInError
from meetctl.protocol import Failed, Model, Warn
from meetctl.protocol.lines import printable
from meetctl.protocol.secrets import Masker
from meetctl.protocol.steps import STEPS
from meetctl.supervisor.events import (
    Answered,
    BackingOff,
    ChildMessage,
    Exited,
    GaveUp,
    Proven,
    SeatAdded,
    SeatEvent,
    Started,
    Stopping,
    Unhealthy,
    Warned,
    WireEvent,
)
from meetctl.supervisor.guard_client import GuardClient
from meetctl.supervisor.health import LOOK_S, begin_watch, evaluate, is_well
from meetctl.supervisor.launcher import Launcher, ProcessId
from meetctl.supervisor.logs import ChildLog
from meetctl.supervisor.policy import GiveUp, Leave, Restart, Run, next_action
from meetctl.supervisor.process import ChildProcess
from meetctl.supervisor.seat import with_last_lines
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.state import MeetingState, apply, as_of
from meetctl.supervisor.tasks import Tasks, begun

LOG_BROKE = "its log cannot be written"
LIVENESS_S = 2.0  # how often a service that sends no statistics is asked whether it answers


class StateStore:
    """Folds every event into one state and hands it on."""

    def __init__(self, room: str, tasks: Tasks) -> None:
        self.state = MeetingState(room=room)
        self._tasks = tasks
        self._listeners: list[Callable[[SeatEvent], None]] = []
        self._changed = asyncio.Condition()

    def listen(self, listener: Callable[[SeatEvent], None]) -> None:
        """Hands every further event to the listener, after it is folded into `state`."""
        self._listeners.append(listener)

    def emit(self, event: SeatEvent) -> None:
        """Folds an event into the state and tells the listeners."""
        self.state = apply(self.state, event)
        for listener in self._listeners:
            listener(event)
        self._tasks.own(self._announce(), "announce")

    async def wait_until(self, condition: Callable[[MeetingState], bool]) -> MeetingState:
        """Waits until the state meets the condition; bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self.state))
        return self.state

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Resources:
    """What the seats of one meeting share."""

    log_dir: Path
    mask: Masker
    store: StateStore
    tasks: Tasks
    launcher: Launcher
    guard: GuardClient


class SeatRunner:
    """One seat while it is there, with the process that is in it.

    Args:
        resources: what it shares with the meeting's other seats.
    """

    def __init__(self, seat: Seat, resources: Resources) -> None:
        self.seat = seat
        self._stopping = False
        self.log = ChildLog(
            resources.log_dir / f"{seat.key}.log", resources.mask, broke=self._log_broke, mended=self._log_mended
        )
        self._resources = resources
        self._task: asyncio.Task[None] | None = None
        self._process: ChildProcess | None = None
        self._stops = 0
        """How often it was told to stop: who wants to start it again sees whether somebody else wants it gone."""
        self._failed: Failed | None = None
        self._assigned = asyncio.Event()
        """The process has its first line, or needs none."""
        self._runs: list[Run] = []
        self._again = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process in the seat, None where it is empty."""
        return self._process.pid if self._process is not None else None

    # --- what the supervisor asks of it ---

    def begin(self) -> None:
        """Shows the seat and begins to fill it."""
        self._show()
        self._fill()

    def begin_again(self, seat: Seat | None) -> None:
        """Fills it again after a stop, with a clean record; by this seat from now on, if one is given."""
        self._stopping = False
        self._runs.clear()
        self._again.clear()
        if seat is not None:
            self.seat = seat
            self._show()
        self._fill()

    async def stop(self, *, timeout_s: float) -> bool:
        """Stops it for good; returns whether nobody else told it to stop meanwhile."""
        self._stops += 1
        ours = self._stops
        if not self._stopping:
            self._stopping = True
            self._emit(Stopping(self.seat.key, time.monotonic()))
        self._again.set()
        if self._process is not None:
            await self._process.stop(timeout_s=timeout_s)
        if self._task is not None:
            # Without a process the task may be waiting for its first line or to start again: there is nothing to lose.
            if self._process is None:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        return self._stops == ours

    def kill(self) -> None:
        """Ends the process now, for good; a `stop` that is under way then finds it gone."""
        self._stopping = True
        self._stops += 1
        if self._process is not None:
            self._process.kill()

    def fail(self, why: str, hint: str | None, *, permanent: bool = False) -> None:
        """Ends the process, which failed in these words; what follows is the policy's decision."""
        if self._process is None or self._stopping:
            return
        self._record_failure(why, hint, permanent=permanent, code="condemned", word="killed")
        self._process.kill()

    async def end(self, why: str, hint: str | None, *, timeout_s: float, permanent: bool) -> None:
        """Ends the process in good order, for this reason; it counts as a failure."""
        if self._process is None or self._stopping:
            return
        self._record_failure(why, hint, permanent=permanent)
        await self._process.stop(timeout_s=timeout_s, reason=why)

    async def evict(self, why: str, hint: str | None, *, timeout_s: float) -> None:
        """Stops it for good, in good order, for this reason, which its state goes on to tell."""
        if self._process is None or self._stopping:
            return
        self._record_failure(why, hint, permanent=True)
        await self.stop(timeout_s=timeout_s)

    async def send(self, message: Model) -> bool:
        """Sends a command to the process; returns False if there is none that reads."""
        return self._process is not None and await self._process.send(message)

    def signal(self, number: signal.Signals, *, only: ProcessId | None = None) -> ProcessId | None:
        """Signals the process group; returns whom, or None if nobody was there, or not the one that is meant."""
        process = self._process
        if process is None or (only is not None and process.id != only):
            return None
        return process.id if process.signal(number) else None

    def warn(self, message: str) -> None:
        """Shows a warning about the process."""
        if self._process is not None:
            self.log.note(f"[warning] {message}")
            self._emit(Warned(self.seat.key, self._resources.mask(message), time.monotonic()))

    def calm(self, message: str) -> None:
        """Takes a warning back that was shown in these very words: what it told of is over."""
        state = self._resources.store.state.seats.get(self.seat.key)
        if state is not None and state.warning == printable(self._resources.mask(message)):
            self._emit(Warned(self.seat.key, "", time.monotonic()))

    # --- the life of the seat ---

    def _show(self) -> None:
        seat = self.seat
        now = time.monotonic()
        self._emit(SeatAdded(seat.key, seat.name, seat.kind, seat.program, seat.proofs, now, seat.sends))

    def _fill(self) -> None:
        self._task = self._resources.tasks.own(self._keep(), f"seat {self.seat.key}")

    async def _keep(self) -> None:
        """Fills the seat until it is stopped, has left, or is fatal."""
        while not self._stopping:
            self._failed = None
            self._assigned.clear()
            self.log.forget()
            started = time.monotonic()
            try:
                returncode = await self._live()
            except (OSError, MeetctlError) as error:
                self._give_up(*_words(error))
                return
            if self._stopping:
                return
            seat_state = self._resources.store.state.seats[self.seat.key]
            permanent = self._failed is not None and self._failed.permanent
            # One that was ended for a reason has failed, however well it left.
            code = returncode or int(self._failed is not None)
            self._runs.append(Run(started, seat_state.ready_at, time.monotonic(), code, permanent))
            match next_action(self.seat.restart, self._runs, random.uniform(-1, 1)):
                case Restart(delay_s):
                    self._emit(BackingOff(self.seat.key, delay_s, time.monotonic()))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(delay_s):
                            await self._again.wait()
                case GiveUp(why):
                    self._give_up(*self._why_fatal(returncode, why))
                    return
                case Leave():
                    return

    async def _live(self) -> int:
        seat = self.seat
        await seat.prepare()
        with STEPS.step(f"launch {seat.key}"):
            child = await self._resources.launcher.launch(seat.spec())
        # No await between spawn and the context that owns the child: a cancel there would leak it.
        async with ChildProcess(child, wire=seat.wire, said=self._heard, log=self.log) as process:
            self._process = process
            self._resources.guard.add(process.pid)
            self._emit(Started(seat.key, process.pid, time.monotonic()))
            ended = begun(process.wait())
            work = (self._assign(process), self._watch(), self._probe(), self._probe_liveness())
            helpers = {begun(part) for part in work}
            try:
                while not ended.done():
                    await asyncio.wait({ended, *helpers}, return_when=asyncio.FIRST_COMPLETED)
                    for helper in [helper for helper in helpers if helper.done()]:
                        helpers.remove(helper)
                        helper.result()  # a first line that cannot be made ends the seat
                returncode = ended.result()
            finally:
                for task in (ended, *helpers):
                    task.cancel()
                await asyncio.gather(ended, *helpers, return_exceptions=True)
                self._process = None
                self._resources.guard.remove(process.pid)
        self._emit(Exited(seat.key, returncode, self.log.last_lines(), time.monotonic()))
        return returncode

    async def _assign(self, process: ChildProcess) -> None:
        try:
            with STEPS.step(f"assign {self.seat.key}"):
                line = await self.seat.first_line()
        except StandInError:
            raise  # what it needs is gone for good
        except MeetctlError as error:
            self.fail(error.message, error.hint)
            return
        if line is not None:
            await process.send(line)
        self._assigned.set()

    async def _probe(self) -> None:
        try:
            proof = await self.seat.readiness_probe()
        except MeetctlError as error:
            self.fail(error.message, error.hint)
            return
        if proof is not None:
            self._emit(Proven(self.seat.key, proof, time.monotonic()))

    async def _probe_liveness(self) -> None:
        """Asks again and again whether the service in the seat still answers, if it can be asked."""
        while True:
            await asyncio.sleep(LIVENESS_S)
            if not self._resources.store.state.seats[self.seat.key].ready:
                continue
            answered = await self.seat.liveness_probe()
            if answered is None:
                return
            if answered:
                self._emit(Answered(self.seat.key, time.monotonic()))

    async def _watch(self) -> None:
        """Looks at the process until it is ill, and then makes room for the next one."""
        await self._assigned.wait()
        health_check = self.seat.health_check
        watch = begin_watch(time.monotonic())
        while not self._stopping:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            seats = as_of(self._resources.store.state, now).seats
            depends_on = seats.get(health_check.depends_on) if health_check.depends_on is not None else None
            watch, why = evaluate(
                watch, seats[self.seat.key], health_check, now, dependency_is_well=is_well(depends_on)
            )
            if why is not None:
                slow = health_check.slow_hint if watch.ready_since is None else None
                hint = f"read {self.log.path}" + (f", or {slow}" if slow else "")
                self.fail(with_last_lines(why, self.log.last_errors()), hint)
                return

    def _record_failure(
        self, why: str, hint: str | None, *, permanent: bool, code: str = "ended", word: str = "ended"
    ) -> None:
        self._failed = Failed(code=code, message=self._resources.mask(why), hint=hint, permanent=permanent)
        self.log.note(f"[{word}] {why}")
        self._emit(Unhealthy(self.seat.key, self._failed.message, hint, time.monotonic()))

    def _heard(self, event: WireEvent) -> None:
        if isinstance(event, Failed):
            mask = self._resources.mask
            hint = mask(event.hint) if event.hint else None
            event = event.model_copy(update={"message": mask(event.message), "hint": hint})
            self._failed = event
        self._emit(ChildMessage(self.seat.key, event, time.monotonic(), self.seat.proofs_in(event)))
        if isinstance(event, Warn):
            times = self._resources.store.state.seats[self.seat.key].warnings
            if str(times).strip("0") == "1":  # the first, the tenth, the hundredth: the log is no place to count in
                self.log.note(f"[warning] {event.message}" + (f" ({times} times)" if times > 1 else ""))

    def _give_up(self, message: str, hint: str | None) -> None:
        self._emit(GaveUp(self.seat.key, self._resources.mask(message), hint, time.monotonic()))

    def _why_fatal(self, returncode: int, why: str) -> tuple[str, str | None]:
        if self._failed is not None:
            return self._failed.message, self._failed.hint
        ending = f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"
        last = self.log.last_lines()
        said = f": {last[-1]}" if last else ""
        return f"{ending}{said} ({why})", f"read {self.log.path}"

    def _log_broke(self, why: str) -> None:
        self._emit(Warned(self.seat.key, f"{LOG_BROKE}: {why}", time.monotonic()))

    def _log_mended(self) -> None:
        state = self._resources.store.state.seats.get(self.seat.key)
        if state is not None and (state.warning or "").startswith(LOG_BROKE):
            self._emit(Warned(self.seat.key, "", time.monotonic()))

    def _emit(self, event: SeatEvent) -> None:
        self._resources.store.emit(event)


def _words(error: Exception) -> tuple[str, str | None]:
    if isinstance(error, MeetctlError):
        return error.message, error.hint
    return f"it cannot be started: {error}", "check `command` and `cwd` in the roster"
