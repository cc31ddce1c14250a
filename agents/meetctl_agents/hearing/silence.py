"""Knows from its energy whether a microphone is silent, before any model looks at it. Pure: frames in, frames out.

Silence is digital silence, and a steady noise that was there all the time. It is judged with much to spare: whatever a
detector of speech would hear in a real voice, however quiet, is not silence. The sound from just before it ends comes
along, so that a word keeps its soft beginning.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from livekit import rtc

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


class Gate:
    """Takes every frame and gives those that are to be looked at."""

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
