"""When somebody can be heard, frame by frame."""

from __future__ import annotations

import math

import numpy as np
import pytest
from meetctl_agents.playing.loudness import FrameClock, SoundSegmenter, Stretch, loudness, sounding_part

FRAME_S = 0.02


def stretches(levels: list[float]) -> list[tuple[int, int]]:
    """Returns the stretches as (first frame, frame after the last) of a row of frames."""
    feeding = SoundSegmenter()
    found = [feeding.feed(level, (index + 1) * FRAME_S, FRAME_S) for index, level in enumerate(levels)]
    found.append(feeding.finish())
    return [(round(s.began / FRAME_S), round(s.ended / FRAME_S)) for s in found if isinstance(s, Stretch)]


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        ([5.0] * 50, []),
        ([5.0] * 3 + [2000.0] * 5 + [5.0] * 20, [(3, 8)]),
        ([2000.0] + [5.0] * 20, []),  # a click
        ([2000.0] * 5 + [5.0] * 8 + [2000.0] * 5 + [5.0] * 20, [(0, 18)]),  # a breath
        ([2000.0] * 5 + [5.0] * 12 + [2000.0] * 5 + [5.0] * 20, [(0, 5), (17, 22)]),  # two sentences
        ([200.0] * 20, []),  # too soft to begin
        ([2000.0] * 3 + [200.0] * 20 + [5.0] * 20, [(0, 23)]),  # soft enough to go on
        ([2000.0] * 5, [(0, 5)]),
    ],
)
def test_sound_becomes_stretches_with_pauses_shorter_than_a_breath(
    levels: list[float], wanted: list[tuple[int, int]]
) -> None:
    assert stretches(levels) == wanted


def test_a_stretch_is_over_when_no_frames_come_any_more() -> None:
    feeding = SoundSegmenter()
    for index in range(5):
        feeding.feed(2000.0, (index + 1) * FRAME_S, FRAME_S)
    assert feeding.pause(0.2) is None
    assert feeding.pause(0.5) == Stretch(0.0, 0.1)
    assert feeding.pause(0.9) is None


def test_frames_that_are_read_late_were_heard_in_time() -> None:
    timing = FrameClock()
    read_at = [10.0, 10.02, 10.5, 10.5, 10.5, 10.501, 10.52]
    heard = [timing.ended(at, FRAME_S) for at in read_at]
    assert heard == pytest.approx([10.0, 10.02, 10.04, 10.06, 10.08, 10.10, 10.12])


def test_a_stream_that_was_cut_is_on_time_again_after_a_while() -> None:
    timing = FrameClock()
    for index in range(50):
        timing.ended(1.0 + index * FRAME_S, FRAME_S)
    heard = [timing.ended(8.0 + index * FRAME_S, FRAME_S) for index in range(100)]
    assert heard[-1] == pytest.approx(8.0 + 99 * FRAME_S)


def test_loudness_is_the_root_mean_square() -> None:
    assert loudness(b"") == 0.0
    assert loudness(np.full(320, -500, np.int16).tobytes()) == 500.0


def test_the_sounding_part_leaves_out_silence_around_it() -> None:
    rate = 24_000
    tone = [int(4000 * math.sin(index / 10)) for index in range(rate // 2)]
    samples = np.array([0] * (rate // 5) + tone + [0] * (rate // 4), np.int16).tobytes()
    assert sounding_part(samples, rate) == pytest.approx((0.2, 0.7), abs=0.011)
    assert sounding_part(bytes(rate), rate) == (0.0, 0.0)
    assert sounding_part(b"", rate) == (0.0, 0.0)
