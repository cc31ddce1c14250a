"""Life without speech: blinks, breath, small turns of the head, eyes that wander. From a seed and the time alone."""

from __future__ import annotations

import hashlib
import math
import random

from meetctl.local.simli.face.pose import Mouth, Pose

_BREATH_SECONDS = 4.2
_BLINK_SECONDS = 0.26
_BLINK_EVERY = (2.2, 5.5)
_GLANCE_EVERY = (1.6, 4.0)
_GLANCE_SECONDS = 0.12
_SPEECH_NOD = 0.35
"""Of the full nod, when the jaw is fully open: heads move with stress."""


class Motion:
    """The small motions of one face."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(hashlib.blake2b(seed.encode(), digest_size=8).digest())
        self._phases = [self._random.uniform(0, 2 * math.pi) for _ in range(5)]
        self._blink_at = self._random.uniform(*_BLINK_EVERY)
        self._glance_at = self._random.uniform(*_GLANCE_EVERY)
        self._gaze_from = self._gaze_to = (0.0, 0.0)
        self._stress = 0.0
        self.last_seconds = 0.0

    def pose(self, seconds: float, mouth: Mouth, *, speaking: bool) -> Pose:
        """Returns the pose at that time; call it with times that do not go back."""
        self.last_seconds = seconds
        if seconds > self._blink_at + _BLINK_SECONDS:
            double = self._random.random() < 0.15
            self._blink_at = seconds + (0.12 if double else self._random.uniform(*_BLINK_EVERY))
        if seconds > self._glance_at + _GLANCE_SECONDS:
            self._gaze_from = self._gaze_to
            wander = 0.25 if speaking else 0.6  # who speaks looks at you
            self._gaze_to = (self._random.gauss(0, 0.5) * wander, self._random.gauss(0, 0.3) * wander)
            self._glance_at = seconds + self._random.uniform(*_GLANCE_EVERY)
        share = _ease((seconds - self._glance_at) / _GLANCE_SECONDS)
        gaze = [a + (b - a) * share for a, b in zip(self._gaze_from, self._gaze_to, strict=True)]
        self._stress += (mouth.open - self._stress) * 0.18
        one, two, three, four, five = self._phases
        lively = 1.0 if speaking else 0.6
        turn = 0.55 * math.sin(seconds * 0.53 + one) + 0.30 * math.sin(seconds * 1.21 + two)
        nod = 0.40 * math.sin(seconds * 0.71 + three) + 0.25 * math.sin(seconds * 1.63 + four)
        return Pose(
            mouth=mouth,
            blink=_blink((seconds - self._blink_at) / _BLINK_SECONDS),
            gaze_x=_bound(gaze[0]),
            gaze_y=_bound(gaze[1]),
            turn=_bound(turn * lively),
            nod=_bound(nod * lively + _SPEECH_NOD * self._stress),
            breath=0.5 - 0.5 * math.cos(2 * math.pi * seconds / _BREATH_SECONDS + five),
            brows=_bound(0.7 * self._stress - 0.1 + 0.15 * math.sin(seconds * 0.37 + two)),
        )


def _blink(share: float) -> float:
    """Returns how far the lids are down: quickly shut, slower open."""
    if not 0 <= share <= 1:
        return 0.0
    return _ease(share / 0.35) if share < 0.35 else _ease((1 - share) / 0.65)


def _ease(share: float) -> float:
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


def _bound(value: float) -> float:
    return min(1.0, max(-1.0, value))
