"""Keeps the seats of one meeting filled: starts children, hears them, starts them again or gives up, stops them.

It knows processes and messages; what a seat runs, and what stands in its first line, the seat says itself. Everything
that happens is a `SeatEvent`, folded into `state` and handed to the listeners.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from meetctl.errors import MeetctlError, StandInError
from meetctl.protocol import Failed, Model, Warn
from meetctl.supervisor import descendants
from meetctl.supervisor.events import (
    Answered,
    BackingOff,
    ChildMessage,
    Exited,
    GaveUp,
    Proven,
    SeatAdded,
    SeatEvent,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
    Unhealthy,
    Warned,
    WireEvent,
)
from meetctl.supervisor.guard_client import GuardClient
from meetctl.supervisor.health import LOOK_S, begin_watch, evaluate, is_well
from meetctl.supervisor.launcher import ExecLauncher, Launcher, ProcessId
from meetctl.supervisor.logs import ChildLog, Masker
from meetctl.supervisor.policy import GiveUp, Leave, Restart, Run, next_action
from meetctl.supervisor.process import ChildProcess, Wire
from meetctl.supervisor.seat import same_warning, with_last_lines
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.state import MeetingState, apply, as_of
from meetctl.supervisor.tasks import Tasks, begun

__all__ = ["Seat", "Supervisor", "python_argv"]

FORCED_S = 0.2  # for the whole ladder when the person asks a second time
LAST_S = 1.5
"""The least that the chair has to write down what the agents handed over, when those took all of the time."""
ORPHANS_S = 2.0
"""How often adopted orphans are looked for: a zombie costs nothing, and the guard should know what else is there."""
LOG_BROKE = "its log cannot be written"
LIVENESS_S = 2.0  # how often a service that sends no statistics is asked whether it answers


@dataclass(slots=True)
class _Life:
    """What the supervisor holds for a seat while it is there."""

    seat: Seat
    log: ChildLog
    task: asyncio.Task[None] | None = None
    process: ChildProcess | None = None
    stopping: bool = False
    stops: int = 0
    """How often it was told to stop: who wants to start it again sees whether somebody else wants it gone."""
    failed: Failed | None = None
    assigned: asyncio.Event = field(default_factory=asyncio.Event)
    """The process has its first line, or needs none."""
    runs: list[Run] = field(default_factory=list)
    again: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Owns every child of a meeting; leaving its context ends them all.

    Args:
        meeting: a name no other meeting has; marks every child's environment.
        log_dir: where each seat's log file goes.
        files: paths that the guard removes at once should this process be killed.
        note: one that it removes when nothing is left of the meeting.
        failed: told which task of its own raised what nobody foresaw, and what.
        launcher: makes the launcher; it is handed what tells the guard of a process that the launcher keeps for itself.
    """

    def __init__(
        self,
        *,
        meeting: str,
        room: str,
        log_dir: Path,
        mask: Masker,
        files: tuple[Path, ...] = (),
        note: Path | None = None,
        launcher: Callable[[Callable[[int], None]], Launcher] = lambda _: ExecLauncher(),
        stop_timeout_s: float = 10.0,
        failed: Callable[[str, BaseException], object] = lambda task, error: None,
    ) -> None:
        self.state = MeetingState(room=room)
        self._meeting = meeting
        self._log_dir = log_dir
        self._mask = mask
        self._guard = GuardClient(meeting, files, note)
        self._launcher = launcher(self._guard.add)
        self._lives: dict[str, _Life] = {}
        self._listeners: list[Callable[[SeatEvent], None]] = []
        self._changed = asyncio.Condition()
        self._tasks = Tasks(failed)
        self._stop_timeout_s = stop_timeout_s
        self._failed = failed
        self._closing = False
        self.strays_ended = 0
        """How many processes were ended that a child had left behind without the meeting's mark."""
        self.strays_left: frozenset[int] = frozenset()
        """Those that could not be."""

    async def __aenter__(self) -> Supervisor:
        self._guard.start()
        self._tasks.own(self._look_after_orphans(), "look after orphans")
        self._launcher.prepare()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop_all(timeout_s=self._stop_timeout_s)
        for life in self._lives.values():
            life.log.close()
        await self._tasks.cancel()
        await self._guard.finish()

    @property
    def guard_pid(self) -> int | None:
        return self._guard.pid

    def listen(self, listener: Callable[[SeatEvent], None]) -> None:
        """Hands every further event to the listener, after it is folded into `state`."""
        self._listeners.append(listener)

    def pids(self) -> Mapping[str, int]:
        """Returns the process of every seat that has one."""
        return {key: life.process.pid for key, life in self._lives.items() if life.process is not None}

    def last_errors(self) -> Mapping[str, Sequence[str]]:
        """Returns what the process in each seat, or the last one, wrote last on its stderr."""
        return {key: lines for key, life in self._lives.items() if (lines := life.log.last_errors())}

    def add(self, seat: Seat) -> None:
        """Fills a new seat.

        Raises:
            ValueError: if the key is taken.
        """
        if seat.key in self._lives:
            raise ValueError(f"seat {seat.key} exists")
        log = ChildLog(
            self._log_dir / f"{seat.key}.log",
            self._mask,
            broke=lambda why: self._log_broke(seat.key, why),
            mended=lambda: self._log_mended(seat.key),
        )
        life = _Life(seat, log)
        self._lives[seat.key] = life
        self.emit(SeatAdded(seat.key, seat.name, seat.kind, seat.program, seat.proofs, time.monotonic()))
        life.task = self._tasks.own(self._keep(life), f"seat {seat.key}")

    async def remove(self, key: str, *, timeout_s: float) -> None:
        """Stops whoever is in the seat and takes the seat away."""
        await self.stop(key, timeout_s=timeout_s)
        if (life := self._lives.pop(key, None)) is None:
            return  # somebody else was quicker
        life.log.close()
        self.emit(SeatRemoved(key, time.monotonic()))

    async def restart(self, key: str, *, timeout_s: float, seat: Seat | None = None) -> bool:
        """Stops whoever is in the seat and fills it again, with a clean record: it was asked for and is no failure.

        Args:
            seat: how to fill it from now on; of the same key.

        Returns:
            False if somebody else told it to stop meanwhile: then it stays down.
        """
        life = self._lives[key]
        ours = life.stops + 1
        await self.stop(key, timeout_s=timeout_s)
        if self._closing or life.stops != ours or self._lives.get(key) is not life:
            return False
        life.stopping = False
        life.runs.clear()
        life.again.clear()
        if seat is not None:
            life.seat = seat
            self.emit(SeatAdded(key, seat.name, seat.kind, seat.program, seat.proofs, time.monotonic()))
        life.task = self._tasks.own(self._keep(life), f"seat {key}")
        return True

    def fail(self, key: str, why: str, hint: str | None, *, permanent: bool = False) -> None:
        """Ends the process in the seat, which failed in these words; what follows is the policy's decision.

        Args:
            permanent: starting it again would not help.
        """
        life = self._lives[key]
        if life.process is None or life.stopping:
            return
        self._record_failure(life, why, hint, permanent=permanent, code="condemned", word="killed")
        life.process.kill()

    async def send(self, key: str, message: Model) -> bool:
        """Sends a command to the child in the seat; returns False if there is none that reads."""
        life = self._lives.get(key)
        return life is not None and life.process is not None and await life.process.send(message)

    async def wait_until(self, condition: Callable[[MeetingState], bool]) -> MeetingState:
        """Waits until the state meets the condition; bound it with `asyncio.timeout`."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self.state))
        return self.state

    async def stop(self, key: str, *, timeout_s: float) -> None:
        """Stops one seat for good; the seat stays, empty. One that somebody took away meanwhile is stopped by them."""
        life = self._lives.get(key)
        if life is None:
            return
        life.stops += 1
        if not life.stopping:
            life.stopping = True
            self.emit(Stopping(key, time.monotonic()))
        life.again.set()
        if life.process is not None:
            await life.process.stop(timeout_s=timeout_s)
        if life.task is not None:
            # Without a process the task may be waiting for its first line or to start again: there is nothing to lose.
            if life.process is None:
                life.task.cancel()
            await asyncio.gather(life.task, return_exceptions=True)

    def warn(self, key: str, message: str) -> None:
        """Shows a warning about the process in the seat."""
        if (life := self._lives.get(key)) is not None and life.process is not None:
            life.log.note(f"[warning] {message}")
            self.emit(Warned(key, self._mask(message), time.monotonic()))

    def calm(self, key: str, message: str) -> None:
        """Takes a warning back: what it told of is over."""
        seat = self.state.seats.get(key)
        if seat is not None and same_warning(seat.warning, self._mask(message)):
            self.emit(Warned(key, "", time.monotonic()))

    def _log_broke(self, key: str, why: str) -> None:
        self.emit(Warned(key, f"{LOG_BROKE}: {why}", time.monotonic()))

    def _log_mended(self, key: str) -> None:
        seat = self.state.seats.get(key)
        if seat is not None and (seat.warning or "").startswith(LOG_BROKE):
            self.emit(Warned(key, "", time.monotonic()))

    async def end(self, key: str, why: str, hint: str | None, *, timeout_s: float, permanent: bool) -> None:
        """Ends the process in the seat, in good order, for this reason; it counts as a failure.

        Args:
            permanent: whether the seat is given up; else the policy decides, as after any failure.
        """
        life = self._lives.get(key)
        if life is None or life.process is None or life.stopping:
            return
        self._record_failure(life, why, hint, permanent=permanent)
        await life.process.stop(timeout_s=timeout_s, reason=why)

    async def evict(self, key: str, why: str, hint: str | None, *, timeout_s: float) -> None:
        """Stops one seat for good, in good order, for this reason, which its state goes on to tell."""
        life = self._lives.get(key)
        if life is None or life.process is None or life.stopping:
            return
        self._record_failure(life, why, hint, permanent=True)
        await self.stop(key, timeout_s=timeout_s)

    def signal(self, key: str, number: signal.Signals, *, only: ProcessId | None = None) -> ProcessId | None:
        """Signals the process group of the seat: for drills. Returns whom, or None if nobody was there.

        Args:
            only: the one process that is meant; a later one in the same seat is spared.
        """
        life = self._lives.get(key)
        process = life.process if life is not None else None
        if process is None or (only is not None and process.id != only):
            return None
        return process.id if process.signal(number) else None

    async def stop_all(self, *, timeout_s: float) -> None:
        """Stops every seat: those who attend the meeting, then the services they lean on; one deadline for all."""
        self._closing = True
        started = time.monotonic()
        attending = [key for key, life in self._lives.items() if life.seat.wire is Wire.NDJSON and _joins(life.seat)]
        await self.stop_attending(attending, timeout_s=timeout_s)
        left = max(FORCED_S, timeout_s - (time.monotonic() - started))
        await self._stop_each([key for key in self._lives if key not in attending], timeout_s=left)
        await self._launcher.close()
        ended, self.strays_left = await descendants.end_strays()
        self.strays_ended += ended

    async def _look_after_orphans(self) -> None:
        while True:
            await asyncio.sleep(ORPHANS_S)
            descendants.reap()
            self._guard.add_strays(descendants.strays())

    async def stop_attending(self, keys: Iterable[str], *, timeout_s: float) -> None:
        """Stops these seats for good: agents first, whose last words the chair takes, then the chair; one deadline."""
        started = time.monotonic()
        keys = list(keys)
        agents = [key for key, life in self._lives.items() if key in keys and life.seat.kind is SeatKind.AGENT]
        await self._stop_each(agents, timeout_s=timeout_s)
        left = max(LAST_S, timeout_s - (time.monotonic() - started))
        await self._stop_each([key for key in keys if key not in agents], timeout_s=left)

    async def _stop_each(self, keys: Iterable[str], *, timeout_s: float) -> None:
        keys = list(keys)
        # What one raises keeps no other from being stopped.
        outcomes = await asyncio.gather(*(self.stop(key, timeout_s=timeout_s) for key in keys), return_exceptions=True)
        for key, error in zip(keys, outcomes, strict=True):
            if isinstance(error, BaseException):
                self._failed(f"stop {key}", error)

    def kill_all(self) -> None:
        """Ends every process group now; the ladder that may be under way then finds them gone."""
        for life in self._lives.values():
            life.stopping = True
            life.stops += 1
            if life.process is not None:
                life.process.kill()

    def emit(self, event: SeatEvent) -> None:
        """Folds an event into the state and tells the listeners."""
        self.state = apply(self.state, event)
        for listener in self._listeners:
            listener(event)
        self._tasks.own(self._announce(), "announce")

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _keep(self, life: _Life) -> None:
        """Fills the seat until it is stopped, has left, or is fatal."""
        while not life.stopping:
            life.failed = None
            life.assigned.clear()
            life.log.forget()
            started = time.monotonic()
            try:
                returncode = await self._live(life)
            except (OSError, MeetctlError) as error:
                self._give_up(life, *_words(error))
                return
            if life.stopping:
                return
            seat_state = self.state.seats[life.seat.key]
            permanent = life.failed is not None and life.failed.permanent
            # One that was ended for a reason has failed, however well it left.
            code = returncode or int(life.failed is not None)
            life.runs.append(Run(started, seat_state.ready_at, time.monotonic(), code, permanent))
            match next_action(life.seat.restart, life.runs, random.uniform(-1, 1)):
                case Restart(delay_s):
                    self.emit(BackingOff(life.seat.key, delay_s, time.monotonic()))
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(delay_s):
                            await life.again.wait()
                case GiveUp(why):
                    self._give_up(life, *_why_fatal(life, returncode, why))
                    return
                case Leave():
                    return

    async def _live(self, life: _Life) -> int:
        seat = life.seat
        if seat.after is not None:
            await seat.after()
        child = await self._launcher.launch(seat.spec())
        # No await between spawn and the context that owns the child: a cancel there would leak it.
        async with ChildProcess(
            child, wire=seat.wire, said=lambda event: self._heard(life, event), log=life.log
        ) as process:
            life.process = process
            self._guard.add(process.pid)
            self.emit(Started(seat.key, process.pid, time.monotonic()))
            ended = begun(process.wait())
            helpers = {begun(self._assign(life, process)), begun(self._watch(life))}
            helpers |= {begun(self._probe(life))} if seat.readiness_probe else set()
            helpers |= {begun(self._probe_liveness(seat))} if seat.liveness_probe else set()
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
                life.process = None
                self._guard.remove(process.pid)
        self.emit(Exited(seat.key, returncode, life.log.last_lines(), time.monotonic()))
        return returncode

    async def _assign(self, life: _Life, process: ChildProcess) -> None:
        if life.seat.first_line is not None:
            try:
                line = await life.seat.first_line()
            except StandInError:
                raise  # what it needs is gone for good
            except MeetctlError as error:
                self.fail(life.seat.key, error.message, error.hint)
                return
            await process.send(line)
        life.assigned.set()

    async def _probe(self, life: _Life) -> None:
        assert life.seat.readiness_probe is not None
        try:
            proof = await life.seat.readiness_probe()
        except MeetctlError as error:
            self.fail(life.seat.key, error.message, error.hint)
        else:
            self.emit(Proven(life.seat.key, proof, time.monotonic()))

    async def _probe_liveness(self, seat: Seat) -> None:
        assert seat.liveness_probe is not None
        while True:
            await asyncio.sleep(LIVENESS_S)
            if self.state.seats[seat.key].ready and await seat.liveness_probe():
                self.emit(Answered(seat.key, time.monotonic()))

    async def _watch(self, life: _Life) -> None:
        """Looks at the process until it is ill, and then makes room for the next one."""
        await life.assigned.wait()
        health_check = life.seat.health_check
        watch = begin_watch(time.monotonic())
        while not life.stopping:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            seats = as_of(self.state, now).seats
            depends_on = seats.get(health_check.depends_on) if health_check.depends_on is not None else None
            watch, why = evaluate(
                watch, seats[life.seat.key], health_check, now, dependency_is_well=is_well(depends_on)
            )
            if why is not None:
                slow = health_check.slow_hint if watch.ready_since is None else None
                hint = f"read {life.log.path}" + (f", or {slow}" if slow else "")
                self.fail(life.seat.key, with_last_lines(why, life.log.last_errors()), hint)
                return

    def _record_failure(
        self, life: _Life, why: str, hint: str | None, *, permanent: bool, code: str = "ended", word: str = "ended"
    ) -> None:
        life.failed = Failed(code=code, message=self._mask(why), hint=hint, permanent=permanent)
        life.log.note(f"[{word}] {why}")
        self.emit(Unhealthy(life.seat.key, life.failed.message, hint, time.monotonic()))

    def _heard(self, life: _Life, event: WireEvent) -> None:
        if isinstance(event, Failed):
            event = event.model_copy(
                update={"message": self._mask(event.message), "hint": self._mask(event.hint) if event.hint else None}
            )
            life.failed = event
        self.emit(ChildMessage(life.seat.key, event, time.monotonic()))
        if isinstance(event, Warn):
            times = self.state.seats[life.seat.key].warnings
            if str(times).strip("0") == "1":  # the first, the tenth, the hundredth: the log is no place to count in
                life.log.note(f"[warning] {event.message}" + (f" ({times} times)" if times > 1 else ""))

    def _give_up(self, life: _Life, message: str, hint: str | None) -> None:
        self.emit(GaveUp(life.seat.key, self._mask(message), hint, time.monotonic()))


def _joins(seat: Seat) -> bool:
    return seat.first_line is not None or seat.kind is SeatKind.AGENT


def _words(error: Exception) -> tuple[str, str | None]:
    if isinstance(error, MeetctlError):
        return error.message, error.hint
    return f"it cannot be started: {error}", "check `command` and `cwd` in the roster"


def _why_fatal(life: _Life, returncode: int, why: str) -> tuple[str, str | None]:
    if life.failed is not None:
        return life.failed.message, life.failed.hint
    ending = f"exit code {returncode}" if returncode >= 0 else f"signal {-returncode}"
    last = life.log.last_lines()
    said = f": {last[-1]}" if last else ""
    return f"{ending}{said} ({why})", f"read {life.log.path}"


def python_argv(module: str, *arguments: str) -> tuple[str, ...]:
    """Returns the command that runs one of our own modules with this very interpreter."""
    return (sys.executable, "-m", module, *arguments)
