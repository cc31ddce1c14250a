"""Sounds of a room in which nobody speaks, made from a fixed seed: 16-bit samples at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.int16]
Floats = NDArray[np.float64]
Make = Callable[[Floats, np.random.Generator], Floats]


def band(time: Floats, chance: np.random.Generator, low: float, high: float) -> Floats:
    """Returns noise of those frequencies, Hz; its root mean square is 1."""
    spectrum = np.fft.rfft(chance.standard_normal(len(time)))
    hertz = np.fft.rfftfreq(len(time), 1 / RATE)
    spectrum[(hertz < low) | (hertz > high)] = 0
    sound = np.fft.irfft(spectrum, len(time))
    return np.asarray(sound / np.sqrt(np.mean(sound**2)), np.float64)


def _strokes(time: Floats, chance: np.random.Generator, apart_s: float, decay_s: float) -> Floats:
    """Returns an envelope of strokes that come by chance, each dying away."""
    beats = chance.random(len(time)) < 1 / (apart_s * RATE)
    decay = np.exp(-np.arange(int(6 * decay_s * RATE)) / (decay_s * RATE))
    return np.asarray(np.convolve(beats * chance.uniform(0.3, 1, len(time)), decay)[: len(time)], np.float64)


def _tones(time: Floats, *hertz: float) -> Floats:
    return np.asarray(np.sum([np.sin(2 * np.pi * each * time) for each in hertz], axis=0), np.float64)


def _melody(time: Floats, chance: np.random.Generator) -> Floats:
    beat = (time // 0.4).astype(int)
    notes = 262 * 2 ** (chance.choice([0, 2, 4, 5, 7, 9, 11, 12], beat.max() + 1) / 12)
    harmonics = sum(np.sin(2 * np.pi * np.cumsum(notes[beat] * k) / RATE) / k for k in range(1, 7))
    return np.asarray(harmonics * np.exp(-(time % 0.4) / 0.25), np.float64)


NOISES: dict[str, Make] = {
    "white": lambda t, c: 1500 * c.standard_normal(len(t)),
    "low": lambda t, c: 2000 * band(t, c, 30, 400),
    "fan": lambda t, c: 800 * band(t, c, 50, 1500) + 300 * _tones(t, 120, 240),
    "bursts": lambda t, c: 2500 * c.standard_normal(len(t)) * (t % 3 < 0.5),
    "hum": lambda t, c: 2000 * _tones(t, 50) + 700 * _tones(t, 150, 250),
    "buzz": lambda t, c: 2000 * np.sign(_tones(t, 100)) * (t % 4 < 2),
    "breath": lambda t, c: 900 * band(t, c, 400, 4000) * np.maximum(0, np.sin(2 * np.pi * t / 4)) ** 2,
    "coughs": lambda t, c: 7000 * band(t, c, 200, 3500) * _strokes(t, c, 1.5, 0.09),
    "typing": lambda t, c: 9000 * c.standard_normal(len(t)) * _strokes(t, c, 0.15, 0.004),
    "doors": lambda t, c: 9000 * band(t, c, 30, 250) * _strokes(t, c, 2.0, 0.1),
    "chords": lambda t, c: 1200 * _tones(t, 262, 330, 392) * (t % 0.5 < 0.4),
    "melody": lambda t, c: 2500 * _melody(t, c),
    "tones": lambda t, c: 2500 * _tones(t, 440) * (t % 2 < 0.3),
}


def noise(name: str, seconds: float, *, seed: int = 7, room: float = 20.0) -> Samples:
    """Returns one of them, over the noise of a quiet room, whose root mean square is `room`."""
    chance = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    sound = NOISES[name](time, chance) + chance.normal(0, room, len(time))
    return np.asarray(sound.clip(-32768, 32767), np.int16)
