"""One person's microphone, cut into stretches of speech; silence is left out before any model looks at it.

Hears sounds only; knows no words.

A stretch begins with the sound before it was noticed, so that the first syllable is not lost, and ends after half a
second of silence. A person who never pauses is cut after a while, so that what was said is transcribed at all; a
microphone that is muted in the middle of a word is heard as silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

import numpy as np
from livekit import rtc
from livekit.agents import inference, vad

from ..floor.events import SpeechStarted
from ..process.tasks import Tasks

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
PAUSE_S = 0.12
"""Silence after which the words so far may be transcribed on suspicion that they were all."""
PAUSE_PROBABILITY = 0.35
"""The detector decays slowly after the last sound; below this it is fading."""
GAP_S = 0.3
"""Without any frame for so long, a microphone is muted or its network is gone."""

WINDOW_S = 0.03
"""The energy is measured over this: less and a steady noise seems to change."""
QUIET = 3.0
"""Root mean square of 16-bit samples that is always silence. A voice that the detector just hears, with nothing else to
be heard, reaches 12."""
NOISE_S = 3.0
"""A steady noise is the least that was heard for so long: nobody talks for so long without a gap."""
ABOVE_NOISE = 1.25
"""Times the noise: what the detector hears reaches 1.5, and a steady noise itself stays below 1.15."""
LOUDEST_NOISE = 300.0
"""Root mean square. What is louder is looked at, however steady it is."""
KEPT_S = 0.5
"""Of sound from before; as much as is kept of a stretch of speech."""
HOLD_S = 1.0
"""For so long nothing must be heard before it counts as silence; the detector needs half of it to see an end."""


@dataclass(frozen=True, slots=True)
class PauseDetected:
    """A short silence: perhaps the end, and this is what was said."""

    began_at: float
    """Unix time, seconds, as below."""
    audio: tuple[rtc.AudioFrame, ...]


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """It was not the end."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    began_at: float
    spoken_until: float
    audio: tuple[rtc.AudioFrame, ...]


Activity = SpeechStarted | PauseDetected | SpeechResumed | SpeechEnded


def load_detector() -> inference.VAD:
    """Returns the detector; its model is inside the package."""
    return inference.VAD(
        activation_threshold=ACTIVATION,
        min_speech_duration=SHORTEST_SPEECH_S,
        min_silence_duration=SILENCE_S,
        # The stretch is kept here: the detector's own copy, of a minute and a half second more, would be another 2 MB
        # for each microphone, made anew at each return of a person.
        prefix_padding_duration=0.0,
        max_buffered_speech=0.0,
    )


async def activities(
    detector: vad.VAD, identity: str, stream: AsyncIterable[rtc.AudioFrameEvent]
) -> AsyncIterator[Activity]:
    """Yields what that person's microphone does until the stream ends or the caller leaves.

    Each `SpeechStarted` has its `SpeechEnded`.

    Raises:
        Exception: whatever ended the stream or the detector; what was said until then has been yielded.
    """
    detecting = detector.stream()
    segmenter = SpeechSegmenter(identity)
    tasks = Tasks()
    feeding = tasks.own(_feed(stream, detecting, segmenter), "microphone")
    try:
        async for event in detecting:
            for activity in segmenter.take(event, time.time()):
                yield activity
        for activity in segmenter.end(time.time()):
            yield activity
        await feeding
    finally:
        await tasks.aclose()
        await detecting.aclose()


class SpeechSegmenter:
    """Turns the detector's events into activities and keeps the sound of the present stretch."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._frames: deque[rtc.AudioFrame] = deque()
        self._kept_s = 0.0
        self._began_at: float | None = None
        self._quiet_s = 0.0
        self._pause_detected = False

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
        ended = SpeechEnded(self._began_at, spoken_until, tuple(self._frames))
        self._frames.clear()
        self._kept_s, self._began_at = 0.0, None
        return [ended]

    def _begin(self, at: float) -> SpeechStarted:
        self._began_at, self._quiet_s, self._pause_detected = at, 0.0, False
        return SpeechStarted(self._identity)

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
        self._quiet_s = self._quiet_s + duration if event.probability < PAUSE_PROBABILITY else 0.0
        if self._pause_detected and self._quiet_s == 0:
            self._pause_detected = False
            return [SpeechResumed()]
        if not self._pause_detected and self._quiet_s >= PAUSE_S:
            self._pause_detected = True
            return [PauseDetected(self._began_at, tuple(self._frames))]
        return []


class SilenceGate:
    """Takes every frame and gives those that are to be looked at by the detector: all but silence.

    Silence is digital silence, and a steady noise that was there all the time. It is judged by its energy, with much to
    spare: whatever a detector of speech would hear in a real voice, however quiet, is not silence. The sound from just
    before it ends comes along, so that a word keeps its soft beginning.
    """

    def __init__(self) -> None:
        self._window: deque[tuple[float, float]] = deque()
        self._floors: deque[tuple[float, float]] = deque()
        self._kept: deque[rtc.AudioFrame] = deque()
        self._kept_s = 0.0
        self._now = 0.0
        self._sounded_at = 0.0

    def take(self, frame: rtc.AudioFrame, *, hold: bool) -> list[rtc.AudioFrame]:
        """Returns the frames to look at, the latest one last.

        Args:
            hold: whether to look at every frame now, silent or not: somebody is in the middle of talking.
        """
        self._now += frame.duration
        if hold or self._sounds(frame):
            self._sounded_at = self._now
        self._kept.append(frame)
        self._kept_s += frame.duration
        if self._now - self._sounded_at < HOLD_S:
            given = list(self._kept)
            self._kept.clear()
            self._kept_s = 0.0
            return given
        while self._kept_s - self._kept[0].duration > KEPT_S:
            self._kept_s -= self._kept.popleft().duration
        return []

    def _sounds(self, frame: rtc.AudioFrame) -> bool:
        samples = np.frombuffer(frame.data, np.int16).astype(np.float32)
        self._window.append((frame.duration, float(np.dot(samples, samples))))
        while sum(duration for duration, _ in self._window) - self._window[0][0] >= WINDOW_S:
            self._window.popleft()
        seconds = sum(duration for duration, _ in self._window)
        loudness = math.sqrt(sum(energy for _, energy in self._window) / (seconds * frame.sample_rate))
        noise = self._least(loudness)
        return loudness > max(QUIET, ABOVE_NOISE * noise if noise < LOUDEST_NOISE else 0.0)

    def _least(self, loudness: float) -> float:
        """Returns the least loudness of late; kept as a rising row, so that each look costs nothing."""
        while self._floors and self._floors[-1][1] >= loudness:
            self._floors.pop()
        self._floors.append((self._now, loudness))
        while self._floors[0][0] < self._now - NOISE_S:
            self._floors.popleft()
        return self._floors[0][1]


async def _feed(
    stream: AsyncIterable[rtc.AudioFrameEvent], detecting: vad.VADStream, segmenter: SpeechSegmenter
) -> None:
    """Feeds the detector until the stream ends, with all but silence; ends its input, whatever happens."""
    gate = SilenceGate()
    last = time.monotonic()

    def push(frame: rtc.AudioFrame) -> None:
        for each in gate.take(frame, hold=segmenter.is_open):
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
