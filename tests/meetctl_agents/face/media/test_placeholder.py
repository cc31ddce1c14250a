"""The placeholder: a name on a dark ground at any size, never green, never flat."""

from __future__ import annotations

import numpy as np
import pytest
from meetctl_agents.face.media.frames import rgb_from_i420
from meetctl_agents.face.media.placeholder import draw_placeholder, initials
from meetctl_agents.face.media.stroke_font import drawable, lines


@pytest.mark.parametrize("size", [(64, 64), (512, 512), (501, 333), (1280, 720), (65, 1279)])
def test_it_is_drawn_at_any_size_dark_with_something_bright_on_it(size: tuple[int, int]) -> None:
    picture = draw_placeholder("Ada Lovelace", *size)
    assert (picture.width, picture.height) == size
    rgb = rgb_from_i420(picture)
    assert rgb.mean() < 80
    assert rgb.max() > 180
    assert rgb.reshape(-1, 3).std(axis=0).min() > 5


@pytest.mark.parametrize("name", ["王小明", "", "  ", "Ада"])
def test_a_name_that_cannot_be_drawn_gets_a_figure(name: str) -> None:
    assert rgb_from_i420(draw_placeholder(name, 256, 256)).max() > 180


def test_different_names_look_different() -> None:
    ada, max_ = (rgb_from_i420(draw_placeholder(name, 128, 128)).astype(int) for name in ("Ada", "Max"))
    assert np.abs(ada - max_).max() > 50


def test_a_long_name_stays_inside_the_picture() -> None:
    rgb = rgb_from_i420(draw_placeholder("Wolfeschlegelsteinhausenbergerdorff von Quux " * 3, 512, 512))
    assert rgb[:, :20].max() < 80
    assert rgb[:, -20:].max() < 80


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Zoë  Ångström", "Zoe Angstrom"),
        ("Łukasz Straße", "Lukasz Strasse"),
        ("Søren & Æva", "Soren + AEva"),
        ("R2-D2 (test)", "R2-D2 (test)"),
        ("王小明", ""),
    ],
)
def test_letters_lose_their_accents_and_keep_their_shape(name: str, expected: str) -> None:
    assert drawable(name) == expected


def test_every_drawable_letter_has_lines_and_a_width() -> None:
    for letter in drawable("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-_'+()/"):
        strokes, width = lines(letter)
        assert strokes
        assert 0 <= width < 8
        assert all(-2.5 < stroke[:, 1].min() and stroke[:, 1].max() < 7 for stroke in strokes)


@pytest.mark.parametrize(
    ("name", "expected"), [("Ada", "A"), ("ada lovelace", "AL"), ("Jean Luc Picard", "JP"), ("", "")]
)
def test_initials_are_those_of_the_first_and_the_last_word(name: str, expected: str) -> None:
    assert (initials(name) if name else "") == expected
