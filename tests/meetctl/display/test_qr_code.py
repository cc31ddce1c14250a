"""A link as a QR code: what stands on the screen is read by a reader of such codes, whatever its own colours."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray
from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from meetctl.display.qr_code import lines_of, qr_code

LINKS = [
    "https://10.0.0.5:7443/standup#invite=Qx3Yt7pLkz1mN0vB8cR2sA",
    "https://[2001:db8:85a3:8d3:1319:8a2e:370:7348]:7443/quarterly-planning#invite=Qx3Yt7pLkz1mN0vB8cR2sA",
]
BLACK, WHITE = 0, 255
PIXELS = 4
"""A module, each way."""
LIT = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}


def captured(text: Text, *, ground: int, colours: bool) -> NDArray[np.uint8]:
    """Returns the screen that the text was drawn on: its ground, and letters of the other brightness."""
    console = Console(width=100, force_terminal=True, color_system="truecolor" if colours else None)
    lines = list(Segment.split_lines(console.render(text)))[: lines_of(text)]
    screen = np.full((2 * len(lines) + 8, 110), ground, np.uint8)
    for number, line in enumerate(lines):
        column = 4
        for segment in line:
            fore, back = BLACK + WHITE - ground, ground
            if colours and segment.style and segment.style.color and segment.style.bgcolor:
                fore, back = (colour.get_truecolor().red for colour in (segment.style.color, segment.style.bgcolor))
            for letter in segment.text:
                for half, lit in enumerate(LIT[letter]):
                    screen[4 + 2 * number + half, column] = fore if lit else back
                column += 1
    return screen.repeat(PIXELS, axis=0).repeat(PIXELS, axis=1)


def read(screen: NDArray[np.uint8]) -> list[str]:
    found = zxingcpp.read_barcodes(screen, try_invert=False)
    return [code.text for code in found]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("ground", [BLACK, WHITE], ids=["dark", "light"])
def test_it_is_read_on_a_dark_screen_and_on_a_light_one(link: str, ground: int) -> None:
    assert read(captured(qr_code(link), ground=ground, colours=True)) == [link]


@pytest.mark.parametrize("link", LINKS)
def test_without_colours_it_is_read_on_a_dark_screen(link: str) -> None:
    assert read(captured(qr_code(link, inverted=True), ground=BLACK, colours=False)) == [link]


def test_it_fits_on_an_ordinary_terminal() -> None:
    code = qr_code(LINKS[0])
    assert lines_of(code) <= 20
    assert max(map(len, code.plain.splitlines())) <= 40
