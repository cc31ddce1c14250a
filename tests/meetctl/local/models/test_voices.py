from __future__ import annotations

from itertools import combinations

import pytest

from meetctl.local.models.voices import ALIASES, VOICES, LocalVoice, parse_voice


def test_a_name_gives_its_voice() -> None:
    assert parse_voice("Tenor") == VOICES["tenor"]


def test_factors_make_a_voice() -> None:
    assert parse_voice("pitch=1.05, formant=0.95") == LocalVoice(1.05, 0.95)


def test_factors_go_on_top_of_a_name() -> None:
    assert parse_voice("bass,pitch=1.5") == LocalVoice(VOICES["bass"].pitch * 1.5, VOICES["bass"].formant)


def test_openais_names_are_understood() -> None:
    assert {parse_voice(name) for name in ALIASES} <= set(VOICES.values())


def test_no_two_voices_are_close() -> None:
    for one, other in combinations(VOICES.values(), 2):
        assert abs(one.pitch / other.pitch - 1) > 0.07 or abs(one.formant / other.formant - 1) > 0.07


@pytest.mark.parametrize("text", ["", "robot", "pitch=", "pitch=high", "pitch=nan", "pitch=3", "formant=0.1", "size=2"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_voice(text)
