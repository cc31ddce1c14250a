"""Timing decisions of the bridge, pure: which sound to drop after a burst, and which picture comes too late.

LiveKit's receivers keep every burst of audio as delay for many seconds, so what is pushed is held against the clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

SECONDS_PER_FRAME = 0.01
"""LiveKit takes exactly 10 ms at a time when its own queue is off."""
AHEAD_FRAMES = 4
"""More than 40 ms ahead of the clock would leave the ±45 ms between lips and voice; anything is dropped."""
EASY_FRAMES = 2
"""Simli's sound comes 20 ms at a time; beyond that silence is dropped, which nobody hears."""
GRACE_FRAMES = 4
"""A source may be 40 ms late (a busy machine) before silence is put in its place. A receiver keeps as delay how late it
has seen sound come, for ten seconds: with 60 ms a stall moved the voice 60 ms away from the lips."""
SETTLING = 0.02
"""Of the distance, with each piece of 20 ms: a second on the whole, so that one late packet counts for little."""
LOUD = 200
"""Peak of 32767 (-44 dB) from which sound counts as such; what Simli sends when idle is near zero, not zero."""

LATE_S = 0.15
"""A picture this much later than the most punctual one belongs to a stall and is not worth an encoder's time."""
LATE_FOR_S = 1.0
"""Pictures that are all late for so long are the new normal: the sender's clock jumped."""
DRIFT = 0.001
"""Seconds by which the most punctual arrival ages each second; real clocks drift by less than a tenth of it."""


def is_loud(samples: Samples) -> bool:
    """Tells whether there is more than silence in it."""
    return bool(samples.size) and max(int(samples.max()), -int(samples.min())) >= LOUD


@dataclass(slots=True)
class AudioClock:
    """How far the pushed sound is ahead of real time."""

    start: float
    """Monotonic seconds."""
    pushed: int = 0
    """Frames since `start`."""

    def ahead(self, now: float) -> float:
        """Returns frames; negative = behind."""
        return self.pushed - (now - self.start) / SECONDS_PER_FRAME

    def settle(self, now: float) -> None:
        """Takes it for the rule, little by little, that sound comes behind the clock: where it really runs is where it
        must go on after a stall. Sound that comes before its time is never the rule: it is trimmed."""
        behind = -self.ahead(now)
        if behind > 0:
            self.start += behind * SECONDS_PER_FRAME * SETTLING

    def restart(self, now: float, ahead: int = 0) -> None:
        self.start, self.pushed = now, ahead


def trim(waiting: deque[Samples], ahead: float) -> int:
    """Drops frames so that pushing the rest stays near the clock; returns how many. The newest are kept."""
    excess = int(ahead + len(waiting)) - EASY_FRAMES
    if excess <= 0:
        return 0
    kept: deque[Samples] = deque()
    dropped = 0
    for frame in waiting:
        if dropped < excess and not is_loud(frame):
            dropped += 1
        else:
            kept.append(frame)
    over = int(ahead + len(kept)) - AHEAD_FRAMES
    for _ in range(min(over, len(kept))):
        kept.popleft()
        dropped += 1
    waiting.clear()
    waiting.extend(kept)
    return dropped


class Punctuality:
    """Tells late pictures from timely ones by their media time against their arrival."""

    def __init__(self) -> None:
        self._best: float | None = None
        self._seen_at = 0.0
        self._late_since: float | None = None

    def is_late(self, media_time: float, now: float) -> bool:
        """Judges one picture; both in seconds, each on a clock of its own."""
        delay = now - media_time
        if self._best is None or delay <= self._best:
            self._best = delay
        else:
            self._best += min(DRIFT * (now - self._seen_at), delay - self._best)
        self._seen_at = now
        if delay - self._best <= LATE_S:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since = now
        if now - self._late_since >= LATE_FOR_S:
            self._best, self._late_since = delay, None
            return False
        return True
