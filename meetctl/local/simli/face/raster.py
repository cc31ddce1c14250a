"""Drawing with numpy: closed curves filled with exact edges, gradients, soft light. It knows nothing of faces.

Curves are arrays (n, 2) of x, y in the units of a 512 x 512 picture. A `Sheet` is a part of the picture at some scale
and shift; its pixels are premultiplied RGBA, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]
Paint = Colour | Callable[[Floats, Floats], Floats]
"""One colour, or a function of x and y (arrays) to (…, 3)."""

Part = tuple[slice, slice]
"""Rows and columns of a sheet."""

_STEP = 0.8
"""Pixels between points of an edge. Rows are cut exactly; along a row the error stays under what anybody sees."""


def rgb(code: str) -> Colour:
    """Returns the colour of `rrggbb`, each part 0 to 1."""
    return int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Returns a colour between the two; 0 is the first."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def curve(points: Sequence[tuple[float, float]], *, closed: bool = True, detail: int = 12) -> Floats:
    """Returns a smooth (Catmull-Rom) curve through the points."""
    knots = np.asarray(points, np.float32)
    if closed:
        before, after, last = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    else:
        before = np.concatenate([knots[:1], knots[:-2]])
        after, last = knots[1:], np.concatenate([knots[2:], knots[-1:]])
        knots = knots[:-1]
    t = np.linspace(0, 1, detail, endpoint=False, dtype=np.float32)[:, None, None]
    p = 0.5 * (
        2 * knots
        + (after - before) * t
        + (2 * before - 5 * knots + 4 * after - last) * t**2
        + (3 * knots - before - 3 * after + last) * t**3
    )
    flat = p.transpose(1, 0, 2).reshape(-1, 2)
    return flat if closed else np.concatenate([flat, after[-1:]])


def mirrored(half: Sequence[tuple[float, float]], centre: float) -> list[tuple[float, float]]:
    """Returns the closed outline of its right half, given as (distance from the centre line, y) from top to bottom."""
    right = [(centre + x, y) for x, y in half]
    left = [(centre - x, y) for x, y in reversed(half) if x > 0.01]
    return right + left


def ellipse(x: float, y: float, rx: float, ry: float, *, tilt: float = 0.0) -> Floats:
    """Returns an ellipse; `tilt` in radians."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False, dtype=np.float32)
    dx, dy = rx * np.cos(angle), ry * np.sin(angle)
    return np.stack([x + dx * np.cos(tilt) - dy * np.sin(tilt), y + dx * np.sin(tilt) + dy * np.cos(tilt)], 1)


def stroke(points: Sequence[tuple[float, float]], widths: Sequence[float]) -> Floats:
    """Returns the outline of a brush stroke along a smooth open curve; widths are given evenly along it."""
    line = curve(points, closed=False)
    at = np.linspace(0, 1, len(line))
    half = np.interp(at, np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1) / (np.linalg.norm(along, axis=1, keepdims=True) + 1e-6)
    return np.asarray(np.concatenate([line + normal * half, (line - normal * half)[::-1]]), np.float32)


def shifted(path: Floats, x: float, y: float) -> Floats:
    """Returns the curve moved by x and y."""
    return path + np.array([x, y], np.float32)


def vertical(top: float, bottom: float, first: Colour, second: Colour) -> Paint:
    """Returns a gradient from top to bottom."""

    def paint(x: Floats, y: Floats) -> Floats:
        share = np.clip((y - top) / (bottom - top), 0, 1)[..., None]
        return np.asarray(np.array(first) * (1 - share) + np.array(second) * share, np.float32)

    return paint


def radial(cx: float, cy: float, radius: float, first: Colour, second: Colour) -> Paint:
    """Returns a gradient from the centre outwards."""

    def paint(x: Floats, y: Floats) -> Floats:
        share = np.clip(np.hypot(x - cx, y - cy) / radius, 0, 1)[..., None]
        share = share * share * (3 - 2 * share)
        return np.asarray(np.array(first) * (1 - share) + np.array(second) * share, np.float32)

    return paint


class Sheet:
    """A part of the picture to draw on."""

    def __init__(
        self, box: tuple[float, float, float, float], scale: float, shift: tuple[float, float] = (0, 0)
    ) -> None:
        """Takes x, y, width, height of the part in units, pixels per unit, and a shift of what is drawn in pixels."""
        x, y, width, height = box
        self.left, self.top = int(np.floor(x * scale)), int(np.floor(y * scale))
        self.width, self.height = int(np.ceil(width * scale)), int(np.ceil(height * scale))
        self.pixels: Floats = np.zeros((self.height, self.width, 4), np.float32)
        self._scale = scale
        self._shift = np.asarray(shift, np.float32) - (self.left, self.top)
        xs = (np.arange(self.width, dtype=np.float32) + 0.5 - self._shift[0]) / scale
        ys = (np.arange(self.height, dtype=np.float32) + 0.5 - self._shift[1]) / scale
        self._x, self._y = xs[None, :], ys[:, None]

    def mask(self, path: Floats) -> Floats:
        """Returns how much of each pixel lies inside the closed curve, (height, width), 0 to 1."""
        covered = np.zeros((self.height, self.width), np.float32)
        points, part = self._placed(path)
        covered[part] = _coverage(points, part)
        return covered

    def fill(self, path: Floats, paint: Paint, opacity: float = 1.0, clip: Floats | None = None) -> Floats:
        """Fills a closed curve, where `clip` (a mask) allows, and returns its own mask."""
        points, part = self._placed(path)
        covered = np.zeros((self.height, self.width), np.float32)
        mask = covered[part] = _coverage(points, part)
        self._cover(part, mask if clip is None else mask * clip[part], paint, opacity)
        return covered

    def glow(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        paint: Colour,
        opacity: float,
        clip: Floats | None = None,
    ) -> None:
        """Lays a soft spot of light or shadow, fading to nothing at the radii."""
        corners = np.array([[-1, -1], [1, 1]], np.float32) * radii + centre
        part = self._placed(np.asarray(corners, np.float32))[1]
        far = ((self._x[:, part[1]] - centre[0]) / radii[0]) ** 2 + ((self._y[part[0]] - centre[1]) / radii[1]) ** 2
        soft = np.clip(1 - far, 0, 1) ** 2
        self._cover(part, soft if clip is None else soft * clip[part], paint, opacity)

    def cover(self, mask: Floats, paint: Paint, opacity: float = 1.0) -> None:
        """Paints where the mask says."""
        self._cover((slice(0, self.height), slice(0, self.width)), mask, paint, opacity)

    def _placed(self, path: Floats) -> tuple[Floats, Part]:
        """Returns the curve in pixels of the sheet, and the part of the sheet that it touches."""
        points = path * self._scale + self._shift
        low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int) + 1
        rows = slice(min(self.height, max(0, low[1])), min(self.height, max(0, high[1])))
        columns = slice(min(self.width, max(0, low[0])), min(self.width, max(0, high[0])))
        return points, (rows, columns)

    def _cover(self, part: Part, mask: Floats, paint: Paint, opacity: float) -> None:
        if callable(paint):
            colour = paint(self._x[:, part[1]], self._y[part[0]])
        else:
            colour = np.asarray(paint, np.float32)
        alpha = (mask * opacity)[..., None]
        pixels = self.pixels[part]
        pixels *= 1 - alpha
        pixels[..., :3] += colour * alpha
        pixels[..., 3:] += alpha


def _coverage(points: Floats, part: Part) -> Floats:
    """Returns what the closed curve covers of each pixel of the part.

    Every bit of the edge adds its height to its pixel and, by the running sum along the row, to all pixels right of it.
    """
    height, width = part[0].stop - part[0].start, part[1].stop - part[1].start
    if height <= 0 or width <= 0:
        return np.zeros((max(0, height), max(0, width)), np.float32)
    points = np.concatenate([points, points[:1]]) - (part[1].start, part[0].start)
    steps = np.maximum(1, np.ceil(np.abs(np.diff(points, axis=0)).max(1) / _STEP)).astype(int)
    at = np.concatenate([[0], np.cumsum(steps)])
    fine = np.arange(at[-1] + 1)
    x, y = np.interp(fine, at, points[:, 0]), np.interp(fine, at, points[:, 1])
    # An edge that crosses from one row of pixels into the next is cut there: each row must add up by itself.
    step = np.diff(y)
    crosses = np.floor(y[:-1]) != np.floor(y[1:])
    cut_y = np.where(crosses, np.maximum(np.floor(y[:-1]), np.floor(y[1:])), y[1:])
    cut_x = x[:-1] + np.diff(x) * np.divide(cut_y - y[:-1], step, out=np.zeros_like(step), where=step != 0)
    x0, x1 = np.concatenate([x[:-1], cut_x]), np.concatenate([cut_x, x[1:]])
    y0, y1 = np.concatenate([y[:-1], cut_y]), np.concatenate([cut_y, y[1:]])
    rise, middle, row = y1 - y0, (x0 + x1) / 2, np.floor((y0 + y1) / 2).astype(int)
    inside = (row >= 0) & (row < height)
    rise, middle, row = rise[inside], np.clip(middle[inside], 0, width), row[inside]
    column = np.floor(middle).astype(int)
    share = middle - column
    stride = width + 2
    cell = row * stride + column
    total = np.bincount(cell, rise * (1 - share), height * stride)
    total += np.bincount(cell + 1, rise * share, height * stride)
    covered = np.abs(np.cumsum(total.reshape(height, stride), axis=1)[:, :width])
    return np.asarray(np.minimum(covered, 1), np.float32)
