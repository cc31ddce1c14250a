from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from meetctl.errors import StandInError, TimedOutError
from meetctl.protocol import Model, Stop
from meetctl.supervisor.events import (
    Answered,
    BackingOff,
    Exited,
    GaveUp,
    Proof,
    Proven,
    SeatAdded,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
)
from meetctl.supervisor.health import HealthCheck
from meetctl.supervisor.process import Wire
from meetctl.supervisor.state import MeetingState, ProcessState, as_of
from meetctl.supervisor.sweep import remaining
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.supervisor.helpers import AnySeat, misbehaving
from tests.meetctl.supervisor.supervised import BOUND_S, Room, _running


@pytest.fixture
def meeting_id(request: pytest.FixtureRequest) -> str:
    return f"test-{os.getpid()}-{abs(hash(request.node.name))}"


@pytest.fixture
@starts(Lane.PROCESS)
async def room(tmp_path: Path, meeting_id: str) -> AsyncIterator[Room]:
    async with _running(tmp_path, meeting_id) as room:
        yield room
    pids = [event.pid for event in room.events if isinstance(event, Started)]
    assert remaining(pids, meeting_id) == set()


async def test_a_child_that_says_ready_is_running(room: Room) -> None:
    room.seat("polite")
    await room.reaches(ProcessState.RUNNING)


async def test_a_warning_is_taken_back_by_its_very_words_and_not_by_those_of_an_equal_call(room: Room) -> None:
    room.seat("ready_and_stay")
    await room.reaches(ProcessState.RUNNING)
    first, second = (
        f'wants to use send {{"key":\n "sentinel-4711"}}: meetctl approve {n}, or deny {n}' for n in (1, 2)
    )
    room.supervisor.warn("ada", first)
    room.supervisor.warn("ada", second)
    room.supervisor.calm("ada", first)
    warning = room.supervisor.state.seats["ada"].warning
    assert warning is not None and warning.endswith("meetctl approve 2, or deny 2")
    room.supervisor.calm("ada", second)
    assert room.supervisor.state.seats["ada"].warning is None


async def test_a_killed_agent_comes_back_into_its_seat_at_once(room: Room) -> None:
    room.seat("ready_and_stay")
    await room.reaches(ProcessState.RUNNING)
    first = room.supervisor.pids()["ada"]
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(BOUND_S):
        state = await room.supervisor.wait_until(
            lambda meeting: meeting.seats["ada"].restarts == 1 and meeting.seats["ada"].ready
        )
    assert state.seats["ada"].pid != first
    assert [event.delay_s for event in room.events if isinstance(event, BackingOff)] == [0.0]


async def test_an_agent_that_never_starts_is_given_up_after_five_tries_with_its_last_words(room: Room) -> None:
    room.seat("crash")
    await room.reaches(ProcessState.FATAL)
    assert len(room.kinds(Started)) == len(room.kinds(Exited)) == 5
    gave_up = room.events[-1]
    assert isinstance(gave_up, GaveUp)
    assert gave_up.message == "exit code 3: Traceback: it hurts (5 failures in 60 s)"
    assert gave_up.hint is not None and "ada.log" in gave_up.hint


async def test_what_cannot_be_cured_is_fatal_at_once_and_its_secret_is_masked(room: Room) -> None:
    room.seat("prints_its_secret", SENTINEL="sentinel-4711")
    await room.reaches(ProcessState.FATAL)
    assert len(room.kinds(Started)) == 1
    assert room.supervisor.state.seats["ada"].last_error == "bad key •••"
    assert "sentinel-4711" not in repr(room.events)


async def test_an_agent_that_leaves_by_itself_is_not_brought_back(room: Room) -> None:
    room.seat("half_a_line")
    await room.reaches(ProcessState.EXITED)
    assert len(room.kinds(Started)) == 1


async def test_a_program_that_does_not_exist_is_fatal_and_says_so(room: Room, tmp_path: Path) -> None:
    missing = tmp_path / "no-such-program"
    room.supervisor.add(
        AnySeat(lambda: type(misbehaving("crash"))((str(missing),), {}), program="command", wire=Wire.NONE)
    )
    await room.reaches(ProcessState.FATAL)
    assert "no-such-program" in str(room.supervisor.state.seats["ada"].last_error)


async def test_the_first_line_reaches_the_child_after_it_started(room: Room, tmp_path: Path) -> None:
    async def first_line() -> Model:
        assert room.kinds(Started), "the child is started before its first line is made"
        return Stop(reason="x" * 1000)

    room.seat("echo_first_line", first_line=first_line)
    await room.reaches(ProcessState.RUNNING)
    assert "got 10" in (tmp_path / "ada.log").read_text()


async def test_a_first_line_that_cannot_be_made_is_fatal_with_its_words(room: Room) -> None:
    async def first_line() -> Model:
        raise StandInError("models did not start", hint="meetctl setup")

    room.seat("polite", first_line=first_line)
    await room.reaches(ProcessState.FATAL)
    assert room.supervisor.state.seats["ada"].last_error == "models did not start"
    assert room.supervisor.state.seats["ada"].hint == "meetctl setup"


async def test_a_child_that_speaks_no_wire_is_ready_when_its_probe_says_so(room: Room) -> None:
    answers = asyncio.Event()

    async def readiness_probe() -> Proof:
        await answers.wait()
        return Proof.READY

    room.seat("ignores_everything", wire=Wire.NONE, readiness_probe=readiness_probe)
    await room.reaches(ProcessState.STARTING)
    answers.set()
    await room.reaches(ProcessState.RUNNING)
    assert len(room.kinds(Proven)) == 1


async def test_all_are_stopped_within_one_deadline_however_stubborn_they_are(room: Room) -> None:
    behaviours = ("polite", "ready_and_stay", "ignores_everything", "grandchild", "runaway_grandchild", "closes_stdin")
    for behaviour in behaviours:
        room.seat(behaviour, key=behaviour.replace("_", "-"))
    async with asyncio.timeout(BOUND_S):
        await room.supervisor.wait_until(lambda meeting: all(seat.ready for seat in meeting.seats.values()))
        loop = asyncio.get_running_loop()
        began = loop.time()
        await room.supervisor.stop_all(timeout_s=2)
    assert loop.time() - began < 10
    assert room.supervisor.pids() == {}


async def test_the_chair_is_told_to_stop_when_the_agents_whose_words_it_takes_have_gone(room: Room) -> None:
    async def nothing() -> Model:
        return Stop()

    room.seat("polite", key="chair", kind=SeatKind.SERVICE, first_line=nothing)
    room.seat("polite", key="models", kind=SeatKind.SERVICE)
    room.seat("ready_and_stay", key="ada")
    room.seat("polite", key="max")
    for key in ("chair", "models", "ada", "max"):
        await room.reaches(ProcessState.RUNNING, key)
    await room.supervisor.stop_all(timeout_s=2)
    told = [(type(event), event.seat) for event in room.kinds(Stopping, Exited)]
    agents = {(Exited, "ada"), (Exited, "max")}
    assert agents < set(told[: told.index((Stopping, "chair"))])
    assert told.index((Exited, "chair")) < told.index((Stopping, "models"))


async def test_an_agent_stopped_while_it_waits_to_be_started_again_stays_down(room: Room) -> None:
    room.seat("crash")
    await room.reaches(ProcessState.BACKOFF)
    await room.supervisor.stop("ada", timeout_s=1)
    started = len(room.kinds(Started))
    assert room.supervisor.state.seats["ada"].state is ProcessState.EXITED
    assert len(room.kinds(Started)) == started


async def test_a_seat_that_is_taken_away_can_be_given_again(room: Room) -> None:
    room.seat("polite")
    await room.reaches(ProcessState.RUNNING)
    await room.supervisor.remove("ada", timeout_s=2)
    assert "ada" not in room.supervisor.state.seats
    room.seat("polite")
    await room.reaches(ProcessState.RUNNING)


async def test_a_restart_fills_the_same_seat_anew_and_is_no_failure(room: Room) -> None:
    room.seat("polite")
    await room.reaches(ProcessState.RUNNING)
    for _ in range(6):  # one more than the failures that make a seat fatal
        before = room.supervisor.pids()["ada"]
        assert await room.supervisor.restart("ada", timeout_s=2)
        async with asyncio.timeout(BOUND_S):
            await room.supervisor.wait_until(lambda meeting: meeting.seats["ada"].ready)
        assert room.supervisor.pids()["ada"] != before
    assert room.kinds(BackingOff, GaveUp, SeatRemoved) == []
    assert len(room.kinds(SeatAdded)) == 1


async def test_a_seat_that_is_fatal_can_be_started_again(room: Room) -> None:
    room.seat("crash")
    await room.reaches(ProcessState.FATAL)
    assert await room.supervisor.restart("ada", timeout_s=2)
    await room.reaches(ProcessState.BACKOFF)


async def test_a_seat_can_be_filled_with_another_program_in_its_place(room: Room) -> None:
    room.seat("polite", key="ada")
    room.seat("polite", key="max")
    await room.reaches(ProcessState.RUNNING)
    other = AnySeat(lambda: misbehaving("ready_and_stay", room.meeting), name="Ada the Second", program="simli")
    assert await room.supervisor.restart("ada", timeout_s=2, seat=other)
    await room.reaches(ProcessState.RUNNING)
    seat = room.supervisor.state.seats["ada"]
    assert (seat.name, seat.program, seat.restarts) == ("Ada the Second", "simli", 0)
    assert list(room.supervisor.state.seats) == ["ada", "max"]


async def test_who_is_stopped_for_good_while_it_is_restarted_stays_down(room: Room) -> None:
    room.seat("ready_and_stay")
    await room.reaches(ProcessState.RUNNING)
    restarting = asyncio.create_task(room.supervisor.restart("ada", timeout_s=2))
    async with asyncio.timeout(BOUND_S):
        await room.supervisor.wait_until(lambda meeting: meeting.seats["ada"].state is ProcessState.STOPPING)
    await room.supervisor.stop_all(timeout_s=2)
    assert not await restarting
    assert len(room.kinds(Started)) == 1
    assert room.supervisor.pids() == {}


async def test_who_leaves_while_all_are_stopped_keeps_nobody_from_being_stopped(room: Room) -> None:
    for key in ("ada", "max"):
        room.seat("ready_and_stay", key=key)
        await room.reaches(ProcessState.RUNNING, key)
    leaving = asyncio.create_task(room.supervisor.remove("ada", timeout_s=2))
    await asyncio.gather(room.supervisor.stop_all(timeout_s=2), leaving)
    assert room.supervisor.pids() == {}
    assert list(room.supervisor.state.seats) == ["max"]


def started_often(key: str, times: int) -> Callable[[MeetingState], bool]:
    return lambda meeting: meeting.seats[key].starts == times


SHORT = HealthCheck(start_s=2, news_s=2)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("never_ready", "was not ready within 2 s"),
        ("stops_reporting", "stalled: nothing was heard from it for 2 s"),
        ("media_stops", "stalled: its media stopped for 2 s"),
    ],
)
async def test_one_that_hangs_is_killed_and_replaced_in_words_that_say_so(
    room: Room, tmp_path: Path, behaviour: str, words: str
) -> None:
    room.seat(behaviour, health_check=SHORT)
    async with asyncio.timeout(BOUND_S * 2):
        state = await room.supervisor.wait_until(lambda meeting: meeting.seats["ada"].starts == 2)
    assert state.seats["ada"].last_error == words
    assert state.seats["ada"].hint == f"read {tmp_path / 'ada.log'}"
    assert [event.returncode for event in room.events if isinstance(event, Exited)] == [-9]


async def test_one_that_fails_and_stays_is_a_failure_in_its_own_last_words(room: Room, tmp_path: Path) -> None:
    slow = HealthCheck(start_s=2, slow_hint="give it longer")
    room.seat("fails_and_stays", wire=Wire.NONE, health_check=slow)
    async with asyncio.timeout(BOUND_S * 2):
        state = await room.supervisor.wait_until(lambda meeting: meeting.seats["ada"].starts == 2)
        while not (said := room.supervisor.last_errors()):
            await asyncio.sleep(0.05)
    assert said["ada"][-1] == "PermissionError: [Errno 13] 'jobs'"
    assert state.seats["ada"].last_error == (
        "was not ready within 2 s; its last lines: "
        "Traceback (most recent call last): | … | PermissionError: [Errno 13] 'jobs'"
    )
    assert state.seats["ada"].hint == f"read {tmp_path / 'ada.log'}, or give it longer"


async def test_one_that_reports_and_says_nothing_keeps_its_seat(room: Room) -> None:
    room.seat("reports", health_check=SHORT)
    room.seat("never_ready", key="max", health_check=SHORT)
    async with asyncio.timeout(BOUND_S * 2):
        state = await room.supervisor.wait_until(lambda meeting: meeting.seats["max"].starts == 2)
    assert state.seats["ada"].starts == 1, "it was looked at as often as the one that was replaced"


async def test_nobody_is_replaced_while_the_server_it_leans_on_does_not_answer(room: Room) -> None:
    room.seat("never_ready", key="server")
    room.seat("media_stops", health_check=HealthCheck(news_s=2, depends_on="server"))
    room.seat("media_stops", key="max", health_check=HealthCheck(news_s=2))
    async with asyncio.timeout(BOUND_S * 2):
        await room.supervisor.wait_until(started_often("max", 3))
    assert room.supervisor.state.seats["ada"].starts == 1, "the other one was replaced twice meanwhile"


async def test_a_service_that_no_longer_answers_is_shown_as_stalled(room: Room) -> None:
    answers = True

    async def liveness_probe() -> bool:
        return answers

    room.seat("polite", key="server", liveness_probe=liveness_probe)
    async with asyncio.timeout(BOUND_S):
        while room.supervisor.state.seats.get("server") is None or not room.kinds(Answered):
            await asyncio.sleep(0.05)
    answers = False
    now = time.monotonic()
    assert as_of(room.supervisor.state, now).seats["server"].state is ProcessState.RUNNING
    assert as_of(room.supervisor.state, now + 60).seats["server"].state is ProcessState.STALLED


async def test_a_first_line_that_takes_too_long_is_a_failure_that_is_tried_again(room: Room) -> None:
    tries = 0

    async def first_line() -> Model:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise TimedOutError("models was not ready within 120 s", hint="read models.log")
        return Stop(reason="x")

    room.seat("echo_first_line", first_line=first_line)
    await room.reaches(ProcessState.RUNNING)
    assert tries == 2
    assert room.supervisor.state.seats["ada"].last_error == "models was not ready within 120 s"


async def test_one_that_is_condemned_for_good_is_fatal_in_those_words(room: Room) -> None:
    room.seat("polite")
    await room.reaches(ProcessState.RUNNING)
    room.supervisor.fail("ada", "its budget is spent, sentinel-4711", "raise it", permanent=True)
    await room.reaches(ProcessState.FATAL)
    seat = room.supervisor.state.seats["ada"]
    assert (seat.last_error, seat.hint, seat.starts) == ("its budget is spent, •••", "raise it", 1)


async def test_a_wall_clock_that_jumps_moves_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.seat("reports", health_check=SHORT)
    room.seat("crash", key="max")
    await room.reaches(ProcessState.RUNNING)
    began = time.time()
    for times, jump in ((3, 86_400), (4, -86_400)):
        monkeypatch.setattr(time, "time", lambda jump=jump: began + jump)
        async with asyncio.timeout(BOUND_S):
            await room.supervisor.wait_until(started_often("max", times))
    assert room.supervisor.state.seats["ada"].starts == 1
