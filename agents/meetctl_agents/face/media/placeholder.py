"""The still picture shown while there is no face: initials in a circle over the name, on a dark ground. Pure."""

from __future__ import annotations

import colorsys
import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .frames import I420, i420_from_rgb
from .stroke_font import CAPITAL, Points, drawable, lines

Canvas = NDArray[np.float64]

TOP, BOTTOM = (38, 42, 58), (19, 21, 31)
"""The ground's colours; a dark tile among other tiles, without being a hole."""
INK = (236, 238, 244)
CIRCLE_AT, CIRCLE_RADIUS = 0.42, 0.2
"""Of the shorter side; the height of the centre, of the whole."""
INITIALS_HEIGHT, NAME_HEIGHT = 0.15, 0.062
"""Capital's height, of the shorter side."""
NAME_BELOW = 0.13
"""From the circle's lower edge to the name's baseline, of the shorter side."""
NAME_WIDTH = 0.86
"""Of the picture's width at most; a long name is drawn smaller."""
STROKE = 0.14
"""A line's thickness, of the capital's height."""


def draw_placeholder(name: str, width: int, height: int) -> I420:
    """Returns the placeholder of an agent at any size."""
    side = min(width, height)
    canvas = _ground(width, height)
    centre = np.array([width / 2, height * CIRCLE_AT])
    _paint(canvas, _disc(canvas.shape, centre, CIRCLE_RADIUS * side), _colour_of(name))
    text = drawable(name)
    if text:
        capital = INITIALS_HEIGHT * side
        _write(canvas, initials(text), np.add(centre, (0, capital / 2)), capital, 2 * CIRCLE_RADIUS * side * 0.8)
        baseline = np.array([width / 2, centre[1] + (CIRCLE_RADIUS + NAME_BELOW) * side])
        _write(canvas, text, baseline, NAME_HEIGHT * side, NAME_WIDTH * width)
    else:
        _figure(canvas, centre, CIRCLE_RADIUS * side)
    return i420_from_rgb(np.clip(canvas, 0, 255).astype(np.uint8))


def initials(text: str) -> str:
    """Returns one or two letters that stand for a name: of the first and the last word."""
    words = text.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def _ground(width: int, height: int) -> Canvas:
    down = np.linspace(0, 1, height)[:, None, None]
    column = np.array(TOP) * (1 - down) + np.array(BOTTOM) * down
    return np.repeat(column, width, axis=1)


def _colour_of(name: str) -> tuple[float, float, float]:
    hue = zlib.crc32(name.encode()) % 360 / 360
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.5, 0.6)
    return red * 255, green * 255, blue * 255


def _disc(shape: tuple[int, ...], centre: Points, radius: float) -> Canvas:
    y, x = np.ogrid[: shape[0], : shape[1]]
    cover: Canvas = np.clip(radius - np.hypot(x + 0.5 - centre[0], y + 0.5 - centre[1]) + 0.5, 0, 1)
    return cover


def _figure(canvas: Canvas, centre: Points, radius: float) -> None:
    """Head and shoulders, for a name that cannot be drawn."""
    inside = _disc(canvas.shape, centre, radius * 0.94)
    _paint(canvas, _disc(canvas.shape, np.subtract(centre, (0, radius * 0.25)), radius * 0.34), INK)
    _paint(canvas, _disc(canvas.shape, np.add(centre, (0, radius * 0.95)), radius * 0.7) * inside, INK)


def _write(canvas: Canvas, text: str, baseline: Points, capital: float, widest: float) -> None:
    """Writes a text centred on the baseline point, no wider than `widest` pixels."""
    strokes, width = lines(text)
    unit = min(capital / CAPITAL, widest / max(width, 1.0))
    thickness = max(1.0, unit * CAPITAL * STROKE)
    start = np.subtract(baseline, (width * unit / 2, 0))
    ink = np.zeros(canvas.shape[:2])
    for stroke in strokes:
        points = start + stroke * (unit, -unit)
        for a, b in pairwise(points):
            _line(ink, a, b, thickness / 2)
    _paint(canvas, ink, INK)


def _line(ink: Canvas, a: Points, b: Points, half: float) -> None:
    """Draws one line with round ends into the ink, in the few pixels around it."""
    height, width = ink.shape
    left, top = np.floor(np.minimum(a, b) - half - 1).astype(int).clip(0)
    right, bottom = np.ceil(np.maximum(a, b) + half + 1).astype(int).clip(0)
    y, x = np.mgrid[top : min(bottom, height), left : min(right, width)] + 0.5
    along = b - a
    part = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / max(float(along @ along), 1e-9)
    part = np.clip(part, 0, 1)
    distance = np.hypot(x - a[0] - part * along[0], y - a[1] - part * along[1])
    window = ink[top : min(bottom, height), left : min(right, width)]
    np.maximum(window, np.clip(half - distance + 0.5, 0, 1), out=window)


def _paint(canvas: Canvas, cover: Canvas, colour: tuple[float, float, float]) -> None:
    canvas += cover[:, :, None] * (np.array(colour) - canvas)
