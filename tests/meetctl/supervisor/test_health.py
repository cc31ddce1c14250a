from __future__ import annotations

from dataclasses import replace

import pytest

from meetctl.supervisor.events import Proof, SeatKind
from meetctl.supervisor.health import LOOK_S, HealthCheck, Watch, begin_watch, evaluate, is_well
from meetctl.supervisor.seat import Phase, ProcessState, SeatState

AUDIO = frozenset({Proof.READY, Proof.AUDIO})
NEW = SeatState("ada", "Ada", SeatKind.AGENT, "audio", AUDIO, missing=AUDIO, phase=Phase.UP, pid=1, started_at=0)
READY = replace(NEW, missing=frozenset({Proof.AUDIO}))
EXPECTATION = HealthCheck(start_s=60, news_s=15)
COMMAND = HealthCheck(start_s=60)


def looked_at(
    history: dict[float, SeatState],
    until: float,
    *,
    unwell: tuple[float, float] = (0, 0),
    pause: float = 0,
    health_check: HealthCheck = EXPECTATION,
) -> tuple[float, str] | None:
    """Returns when a process with this history (what is known of it from each moment on) is replaced, and why.

    Args:
        unwell: from and to: when the ground is not well.
        pause: a jump of the clock, or a sleep of the machine, after ten seconds.
    """
    watch: Watch = begin_watch(0)
    now = 0.0
    for step in range(2000):
        now += LOOK_S + (pause if step == 10 else 0)
        if now > until:
            break
        seat = history[max(at for at in history if at <= now)]
        dependency_is_well = not unwell[0] <= now < unwell[1]
        watch, why = evaluate(watch, seat, health_check, now, dependency_is_well=dependency_is_well)
        if why is not None:
            return now, why
    return None


def reporting(until: float, *, silent_since: float | None = None, start: SeatState = READY) -> dict[float, SeatState]:
    """Returns a history of statistics each second until then."""
    return {
        float(at): replace(
            start,
            last_stats_at=float(at),
            silent_since=silent_since if silent_since is not None and at >= silent_since else None,
        )
        for at in range(int(until) + 1)
    }


@pytest.mark.parametrize(
    ("history", "replaced"),
    [
        (reporting(1000), None),
        ({0: NEW}, (60, "was not ready within 60 s")),
        ({0: NEW, **{k: v for k, v in reporting(1000).items() if k > 50}}, None),
        ({0: READY}, (16, "stalled: nothing was heard from it for 15 s")),
        (reporting(100), (115, "stalled: nothing was heard from it for 15 s")),
        (reporting(1000, silent_since=30), (45, "stalled: its media stopped for 15 s")),
        (reporting(999) | reporting(40, silent_since=30), None),
    ],
    ids=["well", "never ready", "ready late", "never reports", "stops reporting", "media stops", "silent for a moment"],
)
def test_a_process_is_replaced_for_what_it_does_not_do(
    history: dict[float, SeatState], replaced: tuple[float, str] | None
) -> None:
    assert looked_at(history, 600) == replaced


def test_a_command_is_replaced_until_it_has_joined_and_not_judged_afterwards() -> None:
    absent = replace(NEW, program="command", proofs=frozenset({Proof.ACTIVE}), missing=frozenset({Proof.ACTIVE}))
    joined = replace(absent, missing=frozenset())
    assert looked_at({0: absent}, 600, health_check=COMMAND) == (60, "has not joined within 60 s")
    assert looked_at({0: absent, 59: joined}, 600, health_check=COMMAND) is None
    assert looked_at({0: absent}, 600, health_check=COMMAND, unwell=(0, 100)) == (159, "has not joined within 60 s")


def test_nothing_is_expected_of_one_that_promised_nothing() -> None:
    watch = begin_watch(0)
    for now in range(1, 1000):
        watch, why = evaluate(watch, NEW, HealthCheck(), now, dependency_is_well=True)
        assert why is None


def test_not_speaking_is_no_illness() -> None:
    quiet = {at: replace(seat, speech=None) for at, seat in reporting(600).items()}
    assert looked_at(quiet, 600) is None


def test_nobody_is_judged_while_the_server_does_not_answer_and_everybody_afterwards() -> None:
    assert looked_at(reporting(20), 600, unwell=(22, 80)) == (94, "stalled: nothing was heard from it for 15 s")
    assert looked_at(reporting(600, silent_since=20), 70, unwell=(22, 80)) is None
    assert looked_at({0: NEW}, 100, unwell=(5, 80)) is None


@pytest.mark.parametrize("pause", [30.0, 3600.0])
def test_a_clock_that_jumps_or_a_machine_that_slept_replaces_nobody(pause: float) -> None:
    hung = looked_at({-1e9: replace(READY, last_stats_at=9.0)}, 100 + pause, pause=pause)
    assert hung is not None, "one that says nothing afterwards is replaced all the same"
    assert hung[0] >= 11 + pause + 15


def test_only_a_ready_seat_that_does_not_stall_is_ground_to_lean_on() -> None:
    ready = replace(NEW, missing=frozenset(), state=ProcessState.RUNNING)
    assert is_well(None)
    assert is_well(ready)
    assert not is_well(NEW)
    assert not is_well(replace(ready, state=ProcessState.STALLED))
