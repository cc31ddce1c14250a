"""Timing decisions: bursts are cut, silence first; late pictures are dropped, a new normal is accepted."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from meetctl_agents.face.media.pace import AHEAD_FRAMES, EASY_FRAMES, AudioClock, Punctuality, Samples, is_loud, trim


def frame(value: int) -> Samples:
    return np.full(480, value, np.int16)


LOUD = [frame(1000 + index) for index in range(40)]
SILENT = frame(0)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(SILENT, False), (frame(150), False), (frame(-250), True), (frame(-32768), True), (SILENT[:0], False)],
)
def test_silence_is_near_zero_and_not_only_zero(samples: Samples, expected: bool) -> None:
    assert is_loud(samples) is expected


def test_the_clock_tells_how_far_sound_is_ahead() -> None:
    clock = AudioClock(10.0)
    clock.pushed = 5
    assert clock.ahead(10.02) == pytest.approx(3.0)
    clock.restart(11.0, -2)
    assert clock.ahead(11.0) == -2


def test_ordinary_sound_is_never_dropped() -> None:
    waiting = deque(LOUD[:2])
    assert trim(waiting, 0.0) == 0
    assert trim(waiting, -3.0) == 0
    assert len(waiting) == 2


def test_of_a_burst_of_speech_only_the_newest_is_kept() -> None:
    waiting = deque(LOUD[:20])
    assert trim(waiting, 0.0) == 20 - AHEAD_FRAMES
    assert list(map(id, waiting)) == list(map(id, LOUD[20 - AHEAD_FRAMES : 20]))


def test_silence_goes_before_speech() -> None:
    waiting = deque([LOUD[0], SILENT, LOUD[1], SILENT, LOUD[2]])
    assert trim(waiting, 0.0) == 2
    assert [is_loud(each) for each in waiting] == [True, True, True]


def test_a_little_ahead_costs_silence_but_no_speech() -> None:
    speech, silence = deque(LOUD[:2]), deque([SILENT, SILENT])
    assert trim(speech, float(EASY_FRAMES)) == 0
    assert trim(silence, float(EASY_FRAMES)) == 2


def test_far_ahead_everything_goes() -> None:
    waiting = deque(LOUD[:3])
    assert trim(waiting, 10.0) == 3
    assert not waiting


def test_punctual_and_slightly_late_pictures_are_shown() -> None:
    punctuality = Punctuality()
    assert not any(punctuality.is_late(n * 0.04, 100 + n * 0.04 + (n % 3) * 0.03) for n in range(100))


def test_pictures_of_a_stall_are_dropped_and_the_first_timely_one_is_shown() -> None:
    punctuality = Punctuality()
    assert not any(punctuality.is_late(n * 0.04, n * 0.04) for n in range(25))
    # Two seconds' worth arrives at once, at 3.0 s.
    late = [punctuality.is_late(n * 0.04, 3.0) for n in range(25, 75)]
    assert late == [3.0 - n * 0.04 > 0.15 for n in range(25, 75)]
    assert not punctuality.is_late(3.0, 3.0)


def test_lasting_lateness_becomes_the_new_normal_within_a_second() -> None:
    punctuality = Punctuality()
    punctuality.is_late(0.0, 0.0)
    late = [punctuality.is_late(n * 0.04, n * 0.04 + 5.0) for n in range(1, 60)]
    assert late[:20] == [True] * 20
    assert late[30:] == [False] * 29


def test_clocks_that_drift_apart_drop_nothing() -> None:
    punctuality = Punctuality()
    assert not any(punctuality.is_late(n * 0.04, n * 0.04 * 1.0002) for n in range(25 * 3600))


def test_sound_that_always_comes_a_little_behind_is_where_the_clock_ends_up() -> None:
    clock = AudioClock(start=0.0)
    now = 0.05
    for _ in range(500):
        now += 0.02
        clock.pushed += 2
        clock.settle(now)
    assert abs(clock.ahead(now)) < 0.1


def test_one_late_packet_hardly_moves_the_clock_and_early_sound_never_does() -> None:
    clock = AudioClock(start=0.0, pushed=10)
    clock.settle(0.15)  # 50 ms late
    assert -5.0 <= clock.ahead(0.15) < -4.8
    early = AudioClock(start=0.0, pushed=10)
    early.settle(0.05)
    assert early.ahead(0.05) == 5.0
