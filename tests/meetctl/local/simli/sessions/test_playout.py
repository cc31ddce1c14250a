"""The queue of speech and what is counted on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.local.simli.media.audio48 import Upsampler
from meetctl.local.simli.sessions.playout import CHUNK_SAMPLES, SampleQueue
from meetctl.local.simli.sessions.segments import PlaybackFinished, Segments


def ramp(count: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (np.arange(count) % 9_000 + 300).astype(np.int16)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=12))
def test_what_is_pushed_in_pieces_of_any_size_comes_out_whole_and_in_order(sizes: list[int]) -> None:
    pcm = ramp(4_000).astype("<i2").tobytes()
    playout, at = SampleQueue(), 0
    for size in [*sizes, len(pcm)]:
        playout.push(pcm[at : at + size])
        at += size
    taken = np.concatenate([playout.take() for _ in range(4_000 // CHUNK_SAMPLES + 1)])
    assert np.array_equal(taken[:4_000], ramp(4_000))
    assert not taken[4_000:].any()


def test_speaking_lasts_from_the_first_sound_to_the_end_of_the_queue() -> None:
    playout = SampleQueue()
    playout.push(bytes(2 * CHUNK_SAMPLES))
    playout.push(ramp(CHUNK_SAMPLES).tobytes())
    playout.push(bytes(2 * CHUNK_SAMPLES))
    seen = []
    for _ in range(5):
        playout.take()
        seen.append(playout.speaking)
    assert seen == [False, True, True, False, False]


def test_a_cleared_queue_is_silent_at_once_and_counts_as_consumed() -> None:
    playout = SampleQueue()
    playout.push(ramp(16_000).tobytes())
    playout.take()
    playout.clear()
    assert not playout.take().any()
    assert (playout.pushed, playout.consumed, playout.speaking) == (16_000, 16_000, False)


def test_the_window_around_a_moment_holds_what_was_and_what_comes() -> None:
    playout = SampleQueue()
    playout.push(ramp(3 * CHUNK_SAMPLES).tobytes())
    playout.take()
    window = playout.around(CHUNK_SAMPLES, 200)
    assert np.array_equal(window, ramp(3 * CHUNK_SAMPLES)[CHUNK_SAMPLES - 100 : CHUNK_SAMPLES + 100])


def test_each_segment_is_reported_once_with_what_was_played_of_it() -> None:
    segments = Segments()
    segments.begin("a", 0)
    segments.complete("a", 16_000)
    segments.begin("b", 16_000)
    assert segments.played(15_999) == []
    assert segments.played(16_000) == [PlaybackFinished(1.0, False)]
    assert segments.cut(24_000) == [PlaybackFinished(0.5, True)]
    assert not segments.wants("b")
    assert segments.played(99_999) == []


def test_the_upsampled_tone_is_the_same_tone() -> None:
    at = np.arange(1_600)
    tone = (np.sin(2 * np.pi * 1_000 * at / 16_000) * 10_000).astype(np.int16)
    upsample = Upsampler()
    out = np.concatenate([upsample(tone[start : start + 320]) for start in range(0, 1_600, 320)]).astype(float)
    assert len(out) == 4_800
    spectrum = np.abs(np.fft.rfft(out[480:] * np.hanning(4_320)))
    peak = int(np.argmax(spectrum))
    assert peak * 48_000 / 4_320 == pytest.approx(1_000, abs=12)
    image = spectrum[int(14_000 * 4_320 / 48_000) : int(18_000 * 4_320 / 48_000)].max()
    assert image < spectrum[peak] / 500
