"""What counts as broken and as whole again, and when a drill is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetctl.supervisor.events import Proof, SeatKind
from meetctl.supervisor.repairs import SILENT_S, Break, Repairs, begin, is_over, observe
from meetctl.supervisor.seat import Phase, ProcessState, SeatState
from meetctl.supervisor.state import MeetingState

PROOFS = frozenset({Proof.READY})


def seat(key: str = "ada", **changes: Any) -> SeatState:
    well = SeatState(
        key, key.title(), SeatKind.AGENT, "audio", PROOFS, frozenset(), phase=Phase.UP, state=ProcessState.RUNNING
    )
    return replace(well, **changes)


def meeting(*seats: SeatState) -> MeetingState:
    return MeetingState("standup", {each.seat: each for each in seats})


KILLED = seat(phase=Phase.EXITED, state=ProcessState.EXITED, missing=PROOFS, last_error="ended by SIGKILL")
STARTING = seat(state=ProcessState.STARTING, missing=PROOFS, last_error="ended by SIGKILL")


def told(repairs: Repairs) -> list[tuple[str, str, float, float | None]]:
    return [(each.name, each.what, each.broke_at, each.repaired_at) for each in (repairs.breaks or {}).values()]


def test_a_killed_agent_is_broken_from_its_end_until_it_is_ready_again() -> None:
    repairs = begin(meeting(seat(), seat("max")), 10.0)
    for state, now in ((KILLED, 10.1), (STARTING, 10.2), (seat(), 11.0)):
        repairs = observe(repairs, meeting(state, seat("max")), now)
    assert told(repairs) == [("Ada", "ended by SIGKILL", 10.1, 11.0)]
    assert repairs.broken == ()


@pytest.mark.parametrize(
    ("change", "now", "what", "since"),
    [
        ({"silent_since": 12.0}, 13.0, "its media stopped", 12.0),
        ({"last_stats_at": 9.5}, 9.5 + SILENT_S, "it says nothing any more", 10.0),
        ({"degraded_reason": "no face", "state": ProcessState.DEGRADED}, 13.0, "degraded: no face", 13.0),
        ({"phase": Phase.STOPPING, "last_error": "of long ago"}, 13.0, "told to leave", 13.0),
        ({"missing": PROOFS}, 13.0, "not ready", 13.0),
    ],
)
def test_what_breaks_is_named_with_when_it_began(change: dict[str, Any], now: float, what: str, since: float) -> None:
    repairs = observe(begin(meeting(seat()), 10.0), meeting(seat(**change)), now)
    assert told(repairs) == [("Ada", what, since, None)]


def test_who_was_not_well_before_is_not_held_against_the_drill() -> None:
    degraded = seat("max", degraded_reason="no face")
    repairs = begin(meeting(KILLED, degraded), 10.0)
    repairs = observe(repairs, meeting(KILLED, degraded), 11.0)
    assert (repairs.watched, told(repairs)) == (frozenset({"max"}), [])


def test_one_that_breaks_twice_is_broken_from_the_first_time_to_the_last_repair() -> None:
    repairs = begin(meeting(seat()), 10.0)
    for state, now in ((KILLED, 11.0), (seat(), 12.0), (KILLED, 13.0), (seat(), 15.0)):
        repairs = observe(repairs, meeting(state), now)
    assert told(repairs) == [("Ada", "ended by SIGKILL", 11.0, 15.0)]


def test_one_that_was_let_go_meanwhile_is_no_break() -> None:
    repairs = observe(begin(meeting(seat()), 10.0), meeting(KILLED), 11.0)
    assert told(observe(repairs, meeting(), 12.0)) == []


CALM = Repairs(10.0, frozenset({"ada"}), breaks={}, calm_since=10.0)
BROKEN = replace(CALM, breaks={"ada": Break("ada", "Ada", "x", 11.0)}, calm_since=20.0)
LOST = replace(BROKEN, breaks={"ada": Break("ada", "Ada", "x", 11.0, for_good=True)})
MENDED = replace(BROKEN, breaks={"ada": Break("ada", "Ada", "x", 11.0, 20.0)})


@pytest.mark.parametrize(
    ("repairs", "now", "not_before", "over"),
    [
        (CALM, 11.9, 10.0, False),
        (CALM, 12.0, 10.0, True),
        (CALM, 17.0, 18.0, False),
        (CALM, 20.0, 18.0, True),
        (BROKEN, 30.0, 10.0, False),
        (BROKEN, 70.0, 10.0, True),
        (LOST, 21.0, 10.0, True),
        (MENDED, 21.0, 10.0, False),
        (MENDED, 22.0, 10.0, True),
    ],
)
def test_a_drill_is_over_when_all_is_calm_or_lost_or_the_time_is_up(
    repairs: Repairs, now: float, not_before: float, over: bool
) -> None:
    assert is_over(repairs, now, not_before=not_before, settle_s=2.0, bound_s=60.0) is over
