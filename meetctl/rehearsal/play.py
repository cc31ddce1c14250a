"""Plays a scenario in a running meeting and gathers what is observed. Judges nothing, prints nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from meetctl import rooms
from meetctl.errors import MeetctlError, TimedOutError
from meetctl.meeting.meeting import Meeting
from meetctl.meeting.requests import wait_until_ready
from meetctl.meeting.seats import PLAYER_SEAT
from meetctl.protocol import Observed, ToolCall, ToolState, TurnLatency
from meetctl.protocol.rehearsal import Act, Cue, Script, StepBegan, Ticket, parse_fact
from meetctl.rehearsal.casting import script_of
from meetctl.rehearsal.record import Record
from meetctl.rehearsal.scenario import Scenario
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.events import ChildMessage, SeatEvent
from meetctl.supervisor.state import MeetingState, ProcessState

PREPARED_S = 180.0
"""For every sentence to be spoken into memory: 0.04 s each on an idle machine."""
STEP_S = 150.0
"""For one step; the player itself goes on after 90 s of whatever is going on."""
BACK_S = 90.0
"""For a process that was killed to be ready again; a second on an idle machine."""

Began = Callable[[int], None]
"""Told of each step as it begins, from 0."""


class RehearsalError(MeetctlError):
    """The rehearsal could not be played to its end; no expectation is to blame."""

    code = "rehearsal"


@dataclass(slots=True)
class PlayedScenario:
    """What was observed."""

    record: Record = field(default_factory=Record)
    stages: dict[int, dict[str, float]] = field(default_factory=dict)
    """The chair's account of each turn, by step."""
    tools: dict[int, list[str]] = field(default_factory=dict)
    """The names of the tools that agents used, as often as they did, by step."""
    restarts: dict[str, int] = field(default_factory=dict)
    """By the name of the seat."""


async def play(meeting: Meeting, scenario: Scenario, *, ready_timeout_s: float, began: Began) -> PlayedScenario:
    """Waits until the agents are ready, then plays every step; returns what was observed.

    Raises:
        TimedOutError: if agents are not ready, or a step does not end.
        AgentFailed: if one is fatal before the first step.
        RehearsalError: with the player's last words.
    """
    await wait_until_ready(meeting, None, ready_timeout_s, stays_up=False)
    try:
        async with asyncio.TaskGroup() as tasks:
            observing = _Observing(meeting, scenario, tasks, began)
            meeting.supervisor.listen(observing.on_event)
            try:
                await meeting.cast.seat_player(
                    lambda credentials, models_url: _script(scenario, credentials, models_url)
                )
                await _wait_played(meeting, scenario, observing.played.record)
            finally:
                observing.close()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    seats = meeting.supervisor.state.seats.values()
    observing.played.restarts = {seat.name: seat.restarts for seat in seats if seat.restarts}
    return observing.played


class _Observing:
    """Books the facts and carries out the steps that are not the player's."""

    def __init__(self, meeting: Meeting, scenario: Scenario, tasks: asyncio.TaskGroup, began: Began) -> None:
        self.played = PlayedScenario()
        self._meeting = meeting
        self._scenario = scenario
        self._tasks = tasks
        self._began = began
        self._step = -1
        self._open = True

    def close(self) -> None:
        """From now on nothing is booked."""
        self._open = False

    def on_event(self, event: SeatEvent) -> None:
        if not self._open:
            return
        match event:
            case ChildMessage(seat=seat, event=Observed() as observed) if seat == PLAYER_SEAT:
                fact = parse_fact(observed)
                self.played.record.take(fact)
                if isinstance(fact, StepBegan):
                    self._begin(fact.step)
            case ChildMessage(event=TurnLatency(stages_ms=stages)) if self._step >= 0:
                self.played.stages[self._step] = dict(stages)
            case ChildMessage(event=ToolCall(state=ToolState.RUNNING, tool=tool)) if self._step >= 0:
                self.played.tools.setdefault(self._step, []).append(tool)
            case _:
                pass

    def _begin(self, number: int) -> None:
        self._step = number
        self._began(number)
        step = self._scenario.steps[number]
        if step.act is Act.KILLS and step.target is not None:
            self._tasks.create_task(self._kill(number, step.target), name=f"kill-{step.target}")

    async def _kill(self, number: int, seat: str) -> None:
        supervisor = self._meeting.supervisor
        restarts = supervisor.state.seats[seat].restarts
        pid = supervisor.pids().get(seat)
        if pid is None:
            raise RehearsalError(f"{seat} has no process to kill", hint=f"read {self._meeting.log_dir}")
        os.kill(pid, signal.SIGKILL)
        try:
            async with asyncio.timeout(BACK_S):
                await supervisor.wait_until(
                    lambda state: state.seats[seat].restarts > restarts and state.seats[seat].ready
                )
        except TimeoutError:
            raise RehearsalError(
                f"{seat} was killed and not ready again within {BACK_S:.0f} s",
                hint=f"read {self._meeting.log_dir / seat}.log",
            ) from None
        await supervisor.send(PLAYER_SEAT, Cue(step=number))


async def _wait_played(meeting: Meeting, scenario: Scenario, record: Record) -> None:
    log = meeting.log_dir / f"{PLAYER_SEAT}.log"
    try:
        async with asyncio.timeout(PREPARED_S + STEP_S * len(scenario.steps)):
            state = await meeting.supervisor.wait_until(lambda state: record.played_at is not None or _ended(state))
    except TimeoutError:
        raise TimedOutError(
            f"the rehearsal does not end; it is at step {len(record.begun)}", hint=f"read {log}"
        ) from None
    if record.played_at is None:
        seat = state.seats[PLAYER_SEAT]
        raise RehearsalError(f"the scripted people failed: {seat.last_error or 'they left'}", hint=f"read {log}")


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    found = errors.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _ended(state: MeetingState) -> bool:
    return state.seats[PLAYER_SEAT].state in (ProcessState.FATAL, ProcessState.EXITED, ProcessState.STOPPING)


def _script(scenario: Scenario, credentials: LiveKitCredentials, models_url: str) -> Script:
    room = scenario.roster.room

    def person(identity: str, name: str) -> Ticket:
        token = rooms.guest_token(credentials, room=room, identity=identity, name=name)
        return Ticket(identity=identity, token=token)

    def ear(identity: str, name: str) -> Ticket:
        return Ticket(identity=identity, token=rooms.agent_token(credentials, room=room, identity=identity, name=name))

    return script_of(scenario, url=credentials.url, models_url=models_url, person=person, ear=ear)
