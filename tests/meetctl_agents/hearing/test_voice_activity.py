"""What is silence costs no model a look, what a detector would hear of a real voice is not silence, and a microphone
that fails says so to whoever listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from livekit import rtc
from livekit.local_inference import VAD, VAD_WINDOW_SAMPLES
from meetctl_agents.hearing.voice_activity import (
    ACTIVATION,
    FRAME_MS,
    HOLD_S,
    KEPT_S,
    SAMPLE_RATE,
    SilenceGate,
    activities,
    load_detector,
)
from numpy.typing import NDArray

from testing.agents import human
from testing.agents.human import synthesised

Samples = NDArray[np.int16]
SIZE = SAMPLE_RATE * FRAME_MS // 1000
BEFORE_S, AFTER_S = 5.0, 2.0
WAIT_S = 10.0


def frames(samples: Samples) -> list[rtc.AudioFrame]:
    pieces = [samples[start : start + SIZE] for start in range(0, len(samples) - SIZE + 1, SIZE)]
    return [rtc.AudioFrame(piece.tobytes(), SAMPLE_RATE, 1, SIZE) for piece in pieces]


def gated(samples: Samples, *, hold: bool = False) -> Samples:
    gate = SilenceGate()
    given = [out for frame in frames(samples) for out in gate.take(frame, hold=hold)]
    return np.concatenate([np.zeros(0, np.int16), *(np.frombuffer(frame.data, np.int16) for frame in given)])


def noise(seconds: float, loudness: float) -> NDArray[np.float64]:
    return np.random.default_rng(1).normal(0, loudness, int(seconds * SAMPLE_RATE))


def speech_windows(samples: Samples) -> int:
    """Returns in how many windows the detector hears speech."""
    detector = VAD()
    starts = range(0, len(samples) - VAD_WINDOW_SAMPLES + 1, VAD_WINDOW_SAMPLES)
    return sum(detector.predict(samples[start : start + VAD_WINDOW_SAMPLES]) > ACTIVATION for start in starts)


@pytest.mark.parametrize("loudness", [0.0, 0.5, 10.0, 100.0, 250.0])
def test_of_a_minute_of_silence_or_steady_noise_only_the_beginning_is_looked_at(loudness: float) -> None:
    minute = noise(60, loudness).round().astype(np.int16)
    assert len(gated(minute)) < 0.05 * len(minute)


def test_while_somebody_talks_every_frame_is_looked_at() -> None:
    silence = np.zeros(10 * SAMPLE_RATE, np.int16)
    assert len(gated(silence, hold=True)) == len(frames(silence)) * SIZE


def test_the_sound_from_just_before_comes_along_without_a_gap() -> None:
    count = np.arange(10 * SAMPLE_RATE) % 3  # quieter than anything, and each sample can be told from the next
    count[7 * SAMPLE_RATE : 8 * SAMPLE_RATE] += 1000
    samples = count.astype(np.int16)
    given = gated(samples)
    first, loud, held = int(HOLD_S * SAMPLE_RATE), 7 * SAMPLE_RATE, 8 * SAMPLE_RATE
    kept = int(KEPT_S * SAMPLE_RATE)
    heard = given[first - SIZE :] if len(given) > first else given
    tail = samples[loud - kept + SIZE : held]
    assert tail.tobytes() in heard.tobytes()


async def test_a_real_voice_is_heard_as_well_as_without_however_quiet_it_is(model_server: str) -> None:
    spoken = await synthesised(model_server, "Hello, I think we should wait for the weather.")
    voice = np.frombuffer(spoken, np.int16).astype(np.float64)
    places = np.arange(int(len(voice) * SAMPLE_RATE / human.SAMPLE_RATE)) * human.SAMPLE_RATE / SAMPLE_RATE
    voice = np.interp(places, np.arange(len(voice)), voice)
    whole = np.concatenate([np.zeros(int(BEFORE_S * SAMPLE_RATE)), voice, np.zeros(int(AFTER_S * SAMPLE_RATE))])
    heard: dict[tuple[float, float], tuple[int, int]] = {}
    for gain in (1.0, 0.1, 0.03, 0.01, 0.005):
        for loudness in (0.0, 10.0, 30.0):
            samples = (whole * gain + noise(len(whole) / SAMPLE_RATE + 1, loudness)[: len(whole)]).round()
            plain = samples.clip(-32768, 32767).astype(np.int16)
            heard[gain, loudness] = speech_windows(plain), speech_windows(gated(plain))
    worse = {key: counts for key, counts in heard.items() if counts[1] < counts[0] - 3}
    assert not worse
    assert heard[0.01, 0.0][1] > 20, "a voice forty decibels below the usual is heard"


async def failing() -> AsyncIterator[rtc.AudioFrameEvent]:
    for _ in range(50):
        yield rtc.AudioFrameEvent(rtc.AudioFrame.create(SAMPLE_RATE, 1, SAMPLE_RATE * FRAME_MS // 1000))
    raise OSError("the stream broke")


async def test_an_exception_in_the_feed_ends_the_listening_with_it() -> None:
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(OSError, match="the stream broke"):
            async for _ in activities(load_detector(), "sam", failing()):
                pass
