"""Keeps the seats of one meeting: adds, restarts, removes and stops them, in order, until nothing is left.

It knows processes and messages; what a seat runs, and what stands in its first line, the seat says itself. Everything
that happens is a `SeatEvent`, folded into `state` and handed to the listeners.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from meetctl.protocol import Model
from meetctl.protocol.secrets import Masker
from meetctl.supervisor import descendants
from meetctl.supervisor.events import SeatEvent, SeatKind, SeatRemoved
from meetctl.supervisor.guard_client import GuardClient
from meetctl.supervisor.launcher import ExecLauncher, Launcher, ProcessId
from meetctl.supervisor.seat_runner import Resources, SeatRunner, StateStore
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.state import MeetingState
from meetctl.supervisor.tasks import Tasks

FORCED_S = 0.2  # for the whole ladder when the person asks a second time
LAST_S = 1.5
"""The least that the chair has to write down what the agents handed over, when those took all of the time."""
ORPHANS_S = 2.0
"""How often adopted orphans are looked for: a zombie costs nothing, and the guard should know what else is there."""


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
        self._tasks = Tasks(failed)
        self._store = StateStore(room, self._tasks)
        self._guard = GuardClient(meeting, files, note)
        self._launcher = launcher(self._guard.add)
        self._resources = Resources(log_dir, mask, self._store, self._tasks, self._launcher, self._guard)
        self._seats: dict[str, SeatRunner] = {}
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
        for runner in self._seats.values():
            runner.log.close()
        await self._tasks.cancel()
        await self._guard.finish()

    @property
    def guard_pid(self) -> int | None:
        return self._guard.pid

    @property
    def state(self) -> MeetingState:
        return self._store.state

    def listen(self, listener: Callable[[SeatEvent], None]) -> None:
        """Hands every further event to the listener, after it is folded into `state`."""
        self._store.listen(listener)

    def emit(self, event: SeatEvent) -> None:
        """Folds an event into the state and tells the listeners."""
        self._store.emit(event)

    async def wait_until(self, condition: Callable[[MeetingState], bool]) -> MeetingState:
        """Waits until the state meets the condition; bound it with `asyncio.timeout`."""
        return await self._store.wait_until(condition)

    def pids(self) -> Mapping[str, int]:
        """Returns the process of every seat that has one."""
        return {key: pid for key, runner in self._seats.items() if (pid := runner.pid) is not None}

    def last_errors(self) -> Mapping[str, Sequence[str]]:
        """Returns what the process in each seat, or the last one, wrote last on its stderr."""
        return {key: lines for key, runner in self._seats.items() if (lines := runner.log.last_errors())}

    def add(self, seat: Seat) -> None:
        """Fills a new seat.

        Raises:
            ValueError: if the key is taken.
        """
        if seat.key in self._seats:
            raise ValueError(f"seat {seat.key} exists")
        runner = SeatRunner(seat, self._resources)
        self._seats[seat.key] = runner
        runner.begin()

    async def remove(self, key: str, *, timeout_s: float) -> None:
        """Stops whoever is in the seat and takes the seat away."""
        await self.stop(key, timeout_s=timeout_s)
        if (runner := self._seats.pop(key, None)) is None:
            return  # somebody else was quicker
        runner.log.close()
        self.emit(SeatRemoved(key, time.monotonic()))

    async def restart(self, key: str, *, timeout_s: float, seat: Seat | None = None) -> bool:
        """Stops whoever is in the seat and fills it again, with a clean record: it was asked for and is no failure.

        Args:
            seat: how to fill it from now on; of the same key.

        Returns:
            False if somebody else told it to stop meanwhile: then it stays down.
        """
        runner = self._seats[key]
        alone = await runner.stop(timeout_s=timeout_s)
        if self._closing or not alone or self._seats.get(key) is not runner:
            return False
        runner.begin_again(seat)
        return True

    def fail(self, key: str, why: str, hint: str | None, *, permanent: bool = False) -> None:
        """Ends the process in the seat, which failed in these words; what follows is the policy's decision.

        Args:
            permanent: starting it again would not help.
        """
        self._seats[key].fail(why, hint, permanent=permanent)

    async def send(self, key: str, message: Model) -> bool:
        """Sends a command to the child in the seat; returns False if there is none that reads."""
        runner = self._seats.get(key)
        return runner is not None and await runner.send(message)

    async def stop(self, key: str, *, timeout_s: float) -> None:
        """Stops one seat for good; the seat stays, empty. One that somebody took away meanwhile is stopped by them."""
        if (runner := self._seats.get(key)) is not None:
            await runner.stop(timeout_s=timeout_s)

    def warn(self, key: str, message: str) -> None:
        """Shows a warning about the process in the seat."""
        if (runner := self._seats.get(key)) is not None:
            runner.warn(message)

    def calm(self, key: str, message: str) -> None:
        """Takes a warning back that was shown in these very words: what it told of is over."""
        if (runner := self._seats.get(key)) is not None:
            runner.calm(message)

    async def end(self, key: str, why: str, hint: str | None, *, timeout_s: float, permanent: bool) -> None:
        """Ends the process in the seat, in good order, for this reason; it counts as a failure.

        Args:
            permanent: whether the seat is given up; else the policy decides, as after any failure.
        """
        if (runner := self._seats.get(key)) is not None:
            await runner.end(why, hint, timeout_s=timeout_s, permanent=permanent)

    async def evict(self, key: str, why: str, hint: str | None, *, timeout_s: float) -> None:
        """Stops one seat for good, in good order, for this reason, which its state goes on to tell."""
        if (runner := self._seats.get(key)) is not None:
            await runner.evict(why, hint, timeout_s=timeout_s)

    def signal(self, key: str, number: signal.Signals, *, only: ProcessId | None = None) -> ProcessId | None:
        """Signals the process group of the seat: for drills. Returns whom, or None if nobody was there.

        Args:
            only: the one process that is meant; a later one in the same seat is spared.
        """
        runner = self._seats.get(key)
        return runner.signal(number, only=only) if runner is not None else None

    async def stop_all(self, *, timeout_s: float) -> None:
        """Stops every seat: those who attend the meeting, then the services they lean on; one deadline for all."""
        self._closing = True
        started = time.monotonic()
        attending = [key for key, runner in self._seats.items() if runner.seat.attends]
        await self.stop_attending(attending, timeout_s=timeout_s)
        left = max(FORCED_S, timeout_s - (time.monotonic() - started))
        await self._stop_each([key for key in self._seats if key not in attending], timeout_s=left)
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
        agents = [key for key, runner in self._seats.items() if key in keys and runner.seat.kind is SeatKind.AGENT]
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
        for runner in self._seats.values():
            runner.kill()
