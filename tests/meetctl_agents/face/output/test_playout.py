"""Playout: where a segment is, told from what was sent and what came back."""

from __future__ import annotations

import numpy as np
import pytest
from meetctl_agents.face.media.pace import Samples
from meetctl_agents.face.output.playout import START_S, UNMUTE_ANYHOW_S, DroppedSpeechMute, Playout, first_loud
from meetctl_agents.face.signaling.base import FaceSignal

STEP = 0.02


def loud(seconds: float) -> Samples:
    return np.full(round(seconds * 16_000), 5000, np.int16)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.int16)


def hear(playout: Playout, seconds: float, *, is_loud: bool) -> float:
    """Hears until the segment is over; returns for how long."""
    for step in range(round(seconds / STEP)):
        if playout.finished or playout.broken:
            return step * STEP
        playout.hear(STEP, is_loud)
    return seconds


def test_a_segment_is_over_when_as_much_came_back_as_was_sent() -> None:
    playout = Playout()
    playout.send(loud(1.0))
    playout.flushed = True
    hear(playout, 0.3, is_loud=False)  # on its way
    assert not playout.started and playout.position == 0
    hear(playout, 0.5, is_loud=True)
    assert playout.started and playout.position / 16_000 == pytest.approx(0.5, abs=0.03)
    hear(playout, 0.52, is_loud=True)
    assert not playout.finished
    assert hear(playout, 1.0, is_loud=False) <= 2 * STEP
    assert playout.finished and playout.position == 16_000


def test_silence_at_the_beginning_is_counted() -> None:
    playout = Playout()
    playout.send(np.concatenate((quiet(0.4), loud(0.6))))
    hear(playout, 0.6, is_loud=False)
    hear(playout, 0.1, is_loud=True)
    assert playout.position / 16_000 == pytest.approx(0.5, abs=0.03)


def test_a_segment_of_silence_ends_in_its_own_time() -> None:
    playout = Playout()
    playout.send(quiet(0.5))
    playout.flushed = True
    assert hear(playout, 2.0, is_loud=False) == pytest.approx(0.5, abs=0.03)
    assert playout.finished and not playout.started


def test_an_empty_segment_ends_at_once() -> None:
    playout = Playout(flushed=True)
    assert hear(playout, 1.0, is_loud=False) == pytest.approx(STEP)


def test_speech_that_never_comes_back_is_broken() -> None:
    playout = Playout()
    playout.send(loud(1.0))
    playout.flushed = True
    assert hear(playout, 10.0, is_loud=False) == pytest.approx(START_S, abs=0.05)
    assert playout.broken and playout.position == 0


def test_a_face_that_ran_dry_waits_for_more_and_counts_on() -> None:
    playout = Playout()
    playout.send(loud(0.5))
    hear(playout, 0.56, is_loud=True)
    hear(playout, 5.0, is_loud=False)  # the speech model is slow
    assert playout.position == 8_000 and not playout.finished and not playout.broken
    playout.send(loud(0.5))
    playout.flushed = True
    hear(playout, 0.2, is_loud=False)
    assert playout.position == 8_000
    hear(playout, 0.56, is_loud=True)
    assert hear(playout, 1.0, is_loud=False) <= 2 * STEP
    assert playout.finished and playout.position == 16_000


def test_a_dry_face_that_never_speaks_the_rest_is_broken() -> None:
    playout = Playout()
    playout.send(loud(0.5))
    hear(playout, 0.6, is_loud=True)
    playout.send(loud(0.5))
    playout.flushed = True
    hear(playout, 10.0, is_loud=False)
    assert playout.broken and playout.position == 8_000


def test_simli_may_say_that_it_is_done_earlier_than_the_count() -> None:
    playout = Playout()
    playout.send(loud(2.0))
    playout.flushed = True
    hear(playout, 1.7, is_loud=True)  # it dropped 0.3 s
    playout.said(FaceSignal.SILENT)
    assert hear(playout, 2.0, is_loud=False) == pytest.approx(0.2, abs=0.05)
    assert playout.finished and playout.position == 32_000


def test_a_pause_inside_the_speech_is_not_its_end() -> None:
    playout = Playout()
    playout.send(np.concatenate((loud(0.5), quiet(0.6), loud(0.5))))
    playout.flushed = True
    hear(playout, 0.5, is_loud=True)
    hear(playout, 0.6, is_loud=False)
    assert not playout.finished
    hear(playout, 0.5, is_loud=True)
    hear(playout, 0.1, is_loud=False)
    assert playout.finished


def test_sound_that_does_not_stop_ends_the_segment_nevertheless() -> None:
    playout = Playout()
    playout.send(loud(0.5))
    playout.flushed = True
    assert hear(playout, 5.0, is_loud=True) < 1.0
    assert playout.finished


def muted_for(
    mute: DroppedSpeechMute, pattern: list[tuple[float, bool]], *, silent_after: float | None = None
) -> float:
    """Returns for how many seconds of the sound nothing is heard."""
    mute.begin()
    passed = 0.0
    for seconds, is_loud in pattern:
        for _ in range(round(seconds / STEP)):
            if silent_after is not None and passed >= silent_after:
                mute.said(FaceSignal.SILENT)
            if not mute.hear(STEP, is_loud):
                return round(passed, 3)
            passed += STEP
    return passed


@pytest.mark.parametrize(
    ("pattern", "silent_after", "expected"),
    [
        pytest.param([(0.1, True), (1.0, False)], 0.06, 0.2, id="the tail passes, then it is quiet"),
        pytest.param([(0.1, True), (0.06, False), (2.0, True)], 0.06, 0.32, id="the next words follow at once"),
        pytest.param([(0.1, True), (1.0, False)], None, 0.4, id="a server that does not say SILENT"),
        pytest.param([(9.0, True)], None, UNMUTE_ANYHOW_S, id="a server that ignores SKIP"),
    ],
)
def test_dropped_speech_is_not_heard_while_it_drains(
    pattern: list[tuple[float, bool]], silent_after: float | None, expected: float
) -> None:
    assert muted_for(DroppedSpeechMute(), pattern, silent_after=silent_after) == pytest.approx(expected, abs=0.05)


def test_nothing_is_muted_before_anything_was_dropped() -> None:
    assert not DroppedSpeechMute().hear(STEP, True)


@pytest.mark.parametrize(
    ("samples", "expected"), [(quiet(1), None), (loud(1), 0), (np.concatenate((quiet(0.5), loud(0.5))), 8000)]
)
def test_the_first_loud_sound_is_found(samples: Samples, expected: int | None) -> None:
    assert first_loud(samples) == expected
