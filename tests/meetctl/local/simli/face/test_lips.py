"""From sound to mouth: vowels by their formants, hiss by its teeth, silence by shut lips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from meetctl.local.simli.face.lips import WINDOW_SAMPLES, Lips, shape_of

OPEN, WIDE, ROUND, TEETH = range(4)

FORMANTS = {
    "ah": ((730, 110, 1.0), (1090, 120, 0.5), (2440, 160, 0.06)),
    "ee": ((270, 80, 1.0), (2290, 150, 0.25), (3010, 180, 0.15)),
    "oo": ((300, 80, 1.0), (870, 110, 0.18), (2240, 150, 0.01)),
}
"""Hertz, width, strength: textbook values of three vowels."""


def vowel(name: str, pitch: float) -> NDArray[np.float64]:
    at = np.arange(WINDOW_SAMPLES) / 16_000
    sound = np.zeros_like(at)
    for hertz in np.arange(pitch, 7_800, pitch):
        gain = sum(part * math.exp(-(((hertz - centre) / width) ** 2)) for centre, width, part in FORMANTS[name])
        sound += (gain + 0.003) * np.sin(2 * np.pi * hertz * at)
    return np.asarray(sound / np.abs(sound).max() * 0.4)


@pytest.mark.parametrize("pitch", [95.0, 130.0, 210.0])
@pytest.mark.parametrize(("name", "part"), [("ah", OPEN), ("ee", WIDE), ("oo", ROUND)])
def test_each_vowel_has_its_shape_at_every_pitch(name: str, part: int, pitch: float) -> None:
    shape = shape_of(vowel(name, pitch))
    assert shape[part] > 0.7
    assert int(np.argmax(shape)) == part


def test_hiss_shows_the_teeth_and_hardly_opens() -> None:
    noise = np.diff(np.random.default_rng(0).normal(size=WINDOW_SAMPLES + 2), n=2) / 30
    shape = shape_of(noise)
    assert shape[TEETH] > 0.8
    assert shape[OPEN] < 0.2


def test_the_shape_does_not_depend_on_loudness() -> None:
    sound = vowel("ah", 120)
    assert shape_of(sound) == pytest.approx(shape_of(sound / 10), abs=1e-6)


def test_silence_shuts_the_mouth_within_a_fifth_of_a_second() -> None:
    lips = Lips()
    loud = (vowel("ah", 120) * 32_767).astype(np.int16)
    assert lips.mouth(loud).open > 0.5
    for _ in range(5):
        last = lips.mouth(np.zeros(WINDOW_SAMPLES, np.int16))
    assert last.open < 0.05


@given(st.lists(st.integers(-32_768, 32_767), min_size=WINDOW_SAMPLES, max_size=WINDOW_SAMPLES))
def test_any_sound_gives_a_shape_within_bounds(samples: list[int]) -> None:
    mouth = Lips().mouth(np.array(samples, np.int16))
    assert all(0 <= part <= 1 for part in (mouth.open, mouth.wide, mouth.round, mouth.teeth))
