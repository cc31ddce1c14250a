from __future__ import annotations

from collections.abc import Iterable

import pytest

from meetctl.local.simli.sessions.giving_way import (
    FEWER_FPS,
    IDLE,
    LEFT_OUT,
    LONGEST_ROOM_S,
    ROOM_S,
    STRAIN_S,
    GivingWay,
    Manner,
    Pace,
)

WHOLE, FEWER, LIPS = Manner(25), Manner(FEWER_FPS), Manner(FEWER_FPS, only_lips=True)
BUSY = (LEFT_OUT, 0.0)
ROOMY = (0.0, IDLE)


class Time:
    """Looks once a second at a server that is as it is told."""

    def __init__(self) -> None:
        self.way = GivingWay(25)
        self.now = 0.0

    def pass_by(self, seconds: float, seen: tuple[float | None, float]) -> list[Manner]:
        """Returns what was changed to, in order."""
        until, changed = self.now + seconds, []
        while self.now < until:
            self.now += 1
            if self.way.look(self.now, *seen):
                changed.append(self.way.manner)
        return changed


def test_faces_give_way_step_by_step_and_come_back_step_by_step() -> None:
    time = Time()
    assert time.pass_by(STRAIN_S, BUSY) == []
    assert time.pass_by(2 * STRAIN_S + 2, BUSY) == [FEWER, LIPS]
    assert time.pass_by(100, BUSY) == [], "there is nothing left to give"
    assert time.pass_by(2 * ROOM_S + 2, ROOMY) == [FEWER, WHOLE]
    assert time.pass_by(100, ROOMY) == []


@pytest.mark.parametrize("seen", [(0.0, IDLE - 0.01), (LEFT_OUT - 0.01, 0.0)])
def test_nothing_comes_back_while_the_cores_are_still_busy(seen: tuple[float | None, float]) -> None:
    time = Time()
    time.pass_by(STRAIN_S + 1, BUSY)
    assert time.pass_by(300, seen) == []
    assert time.way.manner == FEWER


def test_once_no_face_is_drawn_nothing_is_given_way_to_and_the_next_face_is_drawn_whole() -> None:
    time = Time()
    time.pass_by(2 * STRAIN_S + 3, BUSY)
    assert time.way.manner == LIPS
    assert time.pass_by(1, (None, 0.0)) == [WHOLE]
    assert time.pass_by(STRAIN_S, BUSY) == [], "what was before counts no more"


def test_a_busy_moment_now_and_then_keeps_nobody_from_coming_back_and_a_late_picture_does() -> None:
    time = Time()
    time.pass_by(STRAIN_S + 1, BUSY)
    came_back = [time.pass_by(4, ROOMY) + time.pass_by(1, (0.0, 0.0)) for _ in range(int(ROOM_S) // 3 + 1)]
    assert [WHOLE] in came_back
    time.pass_by(STRAIN_S + 1, BUSY)
    assert [time.pass_by(ROOM_S - 1, ROOMY) + time.pass_by(1, BUSY) for _ in range(4)] == [[]] * 4


def test_what_is_over_soon_changes_nothing() -> None:
    time = Time()
    for _ in range(10):
        assert time.pass_by(STRAIN_S, BUSY) + time.pass_by(1, ROOMY) == []


def test_room_that_did_not_last_has_to_last_longer_the_next_time_up_to_a_bound() -> None:
    def room_needed(time: Time) -> float:
        began = time.now
        while not time.pass_by(1, ROOMY):
            pass
        return time.now - began

    time = Time()
    needed = []
    for _ in range(7):
        time.pass_by(STRAIN_S + 1, BUSY)
        needed.append(room_needed(time))
    assert needed == [ROOM_S, 2 * ROOM_S, 4 * ROOM_S, 8 * ROOM_S, *[LONGEST_ROOM_S] * 3]
    time.pass_by(100, ROOMY)
    time.pass_by(STRAIN_S + 1, BUSY)
    assert room_needed(time) == ROOM_S, "the last one held"


def paced(pace: Pace, last: float | None, nows: Iterable[float]) -> list[float]:
    times = []
    for now in nows:
        last = pace.next(last, now)
        times.append(round(last, 4))
    return times


def test_pictures_follow_one_another_at_their_rate_and_those_that_are_too_late_are_left_out_and_counted() -> None:
    pace = Pace(WHOLE)
    assert pace.taken() is None
    assert paced(pace, None, (0.0, 0.001, 0.041)) == [0.0, 0.04, 0.08]
    assert pace.taken() == 0.0
    assert paced(pace, 0.08, (0.215, 0.216)) == [0.2, 0.24]
    assert pace.taken() == pytest.approx(2 / 4)
    assert pace.taken() is None


def test_a_rate_that_changes_in_the_middle_changes_what_follows_and_nothing_else() -> None:
    pace = Pace(WHOLE)
    (last,) = paced(pace, 10.0, (10.0,))
    pace.manner = FEWER
    assert paced(pace, last, (10.05, 10.11)) == [round(10.04 + 1 / 15, 4), round(10.04 + 2 / 15, 4)]
    assert pace.taken() == 0.0


def test_a_first_picture_is_due_when_it_is_asked_for_though_the_clock_has_run_for_a_while() -> None:
    pace = Pace(WHOLE)
    assert paced(pace, None, (0.8, 0.8)) == [0.8, 0.84]
    assert pace.taken() == 0.0
