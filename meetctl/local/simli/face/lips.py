"""From sound to the shape of a mouth: the spectrum tells the vowel, not the loudness alone.

The jaw follows the first formant, the corners of the lips the second, and hiss shows the teeth.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face.pose import Mouth

WINDOW_SAMPLES = 800
"""50 ms at 16 kHz: two pitch periods of the deepest voice."""
_FFT = 1024
_FREQUENCIES = np.fft.rfftfreq(_FFT, 1 / 16_000)
_HANN = np.hanning(WINDOW_SAMPLES)

_FLOOR = 0.006
"""RMS of full scale under which the mouth is shut."""
_LOUDEST_FALL = 0.995
"""A frame: how fast the memory of the loudest sound fades, so that quiet voices move their lips too."""
_ATTACK, _RELEASE = 0.75, 0.5
"""Share of the way to the new shape in one frame; lips close slower than they open."""


class Lips:
    """One voice's mouth, frame by frame."""

    def __init__(self) -> None:
        self._loudest = 0.08
        self._now = np.zeros(4)

    def mouth(self, window: NDArray[np.int16]) -> Mouth:
        """Returns the shape for the frame in the middle of `window`, (WINDOW_SAMPLES,) int16 at 16 kHz."""
        samples = window.astype(np.float64) / 32768
        level = float(np.sqrt(np.mean(samples**2)))
        self._loudest = max(level, 0.03, self._loudest * _LOUDEST_FALL)
        shown = loudness(level, self._loudest)
        wanted = shape_of(samples) * shown if shown else np.zeros(4)
        rate = np.where(wanted > self._now, _ATTACK, _RELEASE)
        self._now = self._now + (wanted - self._now) * rate
        opened, wide, rounded, teeth = (round(float(part), 3) for part in np.clip(self._now, 0, 1))
        return Mouth(opened, wide, rounded, teeth)


def loudness(level: float, loudest: float) -> float:
    """Returns how much of the shape shows, 0 to 1."""
    if level < _FLOOR:
        return 0.0
    return float(np.clip(((level - _FLOOR) / loudest) ** 0.45, 0, 1))


def shape_of(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns open, wide, round, teeth of a sound whatever its loudness, each 0 to 1."""
    power = np.abs(np.fft.rfft(samples * _HANN, _FFT)) ** 2
    total = _band(power, 100, 7_800) + 1e-12
    hiss = _ramp(_band(power, 3_600, 7_800) / total, 0.25, 0.7)
    jaw = _ramp(_centre(power, 200, 1_000), 340, 640)
    front = _ramp(_centre(np.sqrt(power), 800, 2_900), 1_350, 2_050)
    voiced = 1 - hiss
    opened = voiced * (0.18 + 0.82 * jaw) + 0.10 * hiss
    wide = voiced * front * (1 - 0.5 * jaw) + 0.45 * hiss
    back = 1 - _ramp(_centre(power, 450, 1_700), 620, 800)
    rounded = voiced * (1 - front) * np.maximum(1 - jaw, 0.55 * back)
    teeth = hiss + 0.35 * voiced * front * (1 - jaw)
    return np.array([opened, wide, rounded, teeth])


def _band(power: NDArray[np.float64], low: float, high: float) -> float:
    return float(power[(low <= _FREQUENCIES) & (high > _FREQUENCIES)].sum())


def _centre(power: NDArray[np.float64], low: float, high: float) -> float:
    inside = (low <= _FREQUENCIES) & (high > _FREQUENCIES)
    weights = power[inside]
    return float((weights * _FREQUENCIES[inside]).sum() / (weights.sum() + 1e-12))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
