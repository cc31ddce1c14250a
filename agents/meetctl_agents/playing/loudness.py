"""When somebody can be heard: stretches of sound in a row of frames, with hysteresis. Pure; times come with the frames.

The local voices lie above 1000 (root mean square of 16-bit samples), silence that went through a codec below 10.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

LOUD = 300.0
"""Sound begins above this."""
QUIET = 150.0
"""And is over below that; in between it goes on as it was."""
BEGINS_S = 0.03
"""A click is shorter."""
BREATH_S = 0.2
"""Pauses up to this belong to the stretch: those between two words, not those between two sentences."""
REMEMBERED_FRAMES = 100
"""Two seconds: no reader is late all the time, and a stream that was cut is on time again after so long."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds, on the clock of the frames."""

    began: float
    ended: float


class SoundSegmenter:
    """Feeds on frames and gives each stretch once it is over."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last_loud = float("-inf")
        self._rising: float | None = None

    @property
    def began(self) -> float | None:
        """When the stretch that is going on began; None = silence."""
        return self._began

    def feed(self, loudness: float, ended: float, duration: float) -> Stretch | None:
        """Takes one frame, `ended` being the time of its last sample; returns the stretch that is over now."""
        began = ended - duration
        if loudness >= (LOUD if self._began is None else QUIET):
            self._rising = began if self._rising is None else self._rising
            self._last_loud = ended
            if self._began is None and ended - self._rising >= BEGINS_S:
                self._began = self._rising
            return None
        self._rising = None
        return self.pause(ended)

    def pause(self, now: float) -> Stretch | None:
        """Returns the stretch that is over by now, whether frames still come or not."""
        if self._began is None or now - self._last_loud <= BREATH_S:
            return None
        return self.finish()

    def finish(self) -> Stretch | None:
        """Returns the stretch that is going on and ends it: no more frames will come."""
        if self._began is None:
            return None
        stretch = Stretch(self._began, self._last_loud)
        self._began = self._rising = None
        return stretch


class FrameClock:
    """When each frame of a stream was heard: they are made at an even pace, but read whenever this process gets to it.

    The least delayed frame of the last seconds tells how far reading is behind the sound.
    """

    def __init__(self) -> None:
        self._media = 0.0
        self._behind: deque[float] = deque(maxlen=REMEMBERED_FRAMES)

    def ended(self, read_at: float, duration: float) -> float:
        """Returns when the last sample of the next frame was heard, which is read now."""
        self._media += duration
        self._behind.append(read_at - self._media)
        return self._media + min(self._behind)


def loudness(samples: bytes | memoryview) -> float:
    """Returns the root mean square of 16-bit mono samples, 0 for none."""
    values = np.frombuffer(samples, dtype=np.int16).astype(np.float32)
    return float(np.sqrt(np.mean(values * values))) if len(values) else 0.0


def sounding_part(samples: bytes, rate: int) -> tuple[float, float]:
    """Returns where in the samples sound begins and ends, seconds; (0, 0) where there is none."""
    window = rate // 100
    count = len(samples) // (2 * window)
    values = np.frombuffer(samples[: count * window * 2], dtype=np.int16).astype(np.float32).reshape(count, window)
    loud = np.flatnonzero(np.sqrt(np.mean(values * values, axis=1)) >= LOUD) if count else np.array([])
    return (float(loud[0]) / 100, float(loud[-1] + 1) / 100) if len(loud) else (0.0, 0.0)
