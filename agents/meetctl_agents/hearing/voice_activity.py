"""One person's microphone, cut into stretches of speech. Hears sounds only; knows no words.

A stretch begins with the sound before it was noticed, so that the first syllable is not lost, and ends after half a
second of silence. A person who never pauses is cut after a while, so that what was said is transcribed at all; a
microphone that is muted in the middle of a word is heard as silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import inference, vad

from ..process.tasks import Tasks
from .silence import Gate

SAMPLE_RATE = 16_000
"""Hertz; the detector's own rate, and what transcription models listen at."""
FRAME_MS = 32
"""One window of the detector: smaller frames would wait for each other, and each costs as much as a large one."""
ACTIVATION = 0.3
"""Of 1. With 0.5, speech is noticed some 100 ms later; noise and clicks stay below 0.1."""
SHORTEST_SPEECH_S = 0.032
"""One window of the detector: it is to interrupt at once."""
SILENCE_S = 0.5
"""Less splits sentences at their commas."""
BEFORE_S = 0.5
"""Sound kept from before speech was noticed."""
LONGEST_S = 25.0
"""Transcription models take 30 s at a time."""
LULL_S = 0.12
"""Silence after which the words so far may be transcribed on suspicion that they were all."""
LULL_PROBABILITY = 0.35
"""The detector decays slowly after the last sound; below this it is fading."""
GAP_S = 0.3
"""Without any frame for so long, a microphone is muted or its network is gone."""


@dataclass(frozen=True, slots=True)
class Began:
    at: float
    """Unix time, seconds, as below."""


@dataclass(frozen=True, slots=True)
class Lulled:
    """A short silence: perhaps the end, and this is what was said."""

    began_at: float
    audio: tuple[rtc.AudioFrame, ...]


@dataclass(frozen=True, slots=True)
class Resumed:
    """It was not the end."""


@dataclass(frozen=True, slots=True)
class Ended:
    began_at: float
    spoken_until: float
    audio: tuple[rtc.AudioFrame, ...]


Activity = Began | Lulled | Resumed | Ended


def load_detector() -> inference.VAD:
    """Returns the detector; its model is inside the package."""
    return inference.VAD(
        activation_threshold=ACTIVATION, min_speech_duration=SHORTEST_SPEECH_S, min_silence_duration=SILENCE_S
    )


async def activities(detector: vad.VAD, stream: AsyncIterable[rtc.AudioFrameEvent]) -> AsyncIterator[Activity]:
    """Yields what the microphone does until the stream ends or the caller leaves; each `Began` has its `Ended`.

    Raises:
        Exception: whatever ended the stream or the detector; what was said until then has been yielded.
    """
    detecting = detector.stream()
    stretches = Stretches()
    tasks = Tasks()
    feeding = tasks.own(_feed(stream, detecting, stretches), "microphone")
    try:
        async for event in detecting:
            for activity in stretches.take(event, time.time()):
                yield activity
        for activity in stretches.end(time.time()):
            yield activity
        await feeding
    finally:
        await tasks.aclose()
        await detecting.aclose()


class Stretches:
    """Turns the detector's events into activities and keeps the sound of the present stretch."""

    def __init__(self) -> None:
        self._frames: deque[rtc.AudioFrame] = deque()
        self._kept_s = 0.0
        self._began_at: float | None = None
        self._quiet_s = 0.0
        self._lulled = False

    @property
    def is_open(self) -> bool:
        """Whether somebody is in the middle of talking."""
        return self._began_at is not None

    def take(self, event: vad.VADEvent, now: float) -> list[Activity]:
        """Returns what the event means; `now` is Unix time, seconds."""
        match event.type:
            case vad.VADEventType.START_OF_SPEECH:
                return [self._begin(now - event.speech_duration)]
            case vad.VADEventType.END_OF_SPEECH:
                return self.end(now - event.silence_duration)
            case vad.VADEventType.INFERENCE_DONE:
                return self._keep(event, now)

    def end(self, spoken_until: float) -> list[Activity]:
        """Ends the present stretch, if there is one."""
        if self._began_at is None:
            return []
        ended = Ended(self._began_at, spoken_until, tuple(self._frames))
        self._frames.clear()
        self._kept_s, self._began_at = 0.0, None
        return [ended]

    def _begin(self, at: float) -> Began:
        self._began_at, self._quiet_s, self._lulled = at, 0.0, False
        return Began(at)

    def _keep(self, event: vad.VADEvent, now: float) -> list[Activity]:
        duration = sum(frame.duration for frame in event.frames)
        self._frames.extend(event.frames)
        self._kept_s += duration
        if self._began_at is None:
            while self._frames and self._kept_s - self._frames[0].duration > BEFORE_S:
                self._kept_s -= self._frames.popleft().duration
            return []
        if self._kept_s > LONGEST_S:
            return [*self.end(now), self._begin(now)]
        self._quiet_s = self._quiet_s + duration if event.probability < LULL_PROBABILITY else 0.0
        if self._lulled and self._quiet_s == 0:
            self._lulled = False
            return [Resumed()]
        if not self._lulled and self._quiet_s >= LULL_S:
            self._lulled = True
            return [Lulled(self._began_at, tuple(self._frames))]
        return []


async def _feed(stream: AsyncIterable[rtc.AudioFrameEvent], detecting: vad.VADStream, stretches: Stretches) -> None:
    """Feeds the detector until the stream ends, with all but silence; ends its input, whatever happens."""
    gate = Gate()
    last = time.monotonic()

    def push(frame: rtc.AudioFrame) -> None:
        for each in gate.take(frame, hold=stretches.is_open):
            detecting.push_frame(each)

    async def pad() -> None:
        while True:
            await asyncio.sleep(GAP_S)
            if time.monotonic() - last > GAP_S:
                push(rtc.AudioFrame.create(SAMPLE_RATE, 1, int(SAMPLE_RATE * GAP_S)))

    tasks = Tasks()
    tasks.own(pad(), "microphone-gaps")
    try:
        async for event in stream:
            last = time.monotonic()
            push(event.frame)
    finally:
        await tasks.aclose()
        with contextlib.suppress(RuntimeError):  # of a detector that is closed already
            detecting.end_input()
