"""Drawn parts, kept so that laying them over a picture is cheap: opaque pixels are copied, only edges are blended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face.raster import Floats, Sheet

Canvas = NDArray[np.uint8]
"""(h, w, 4): red, green, blue, and 255, so that a pixel is one 32-bit word."""

_OPAQUE = 0.998
_NOTHING = 0.002


@dataclass(frozen=True, slots=True)
class Sprite:
    """A part at its place."""

    left: int
    top: int
    words: NDArray[np.uint32]
    """(h, w): the pixels, of use where they are opaque."""
    opaque: NDArray[np.bool_]
    """(h, w)."""
    edge: NDArray[np.intp]
    """(n, 2): row and column of every pixel that is neither opaque nor nothing."""
    edge_colour: NDArray[np.uint16]
    """(n, 4): premultiplied."""
    edge_through: NDArray[np.uint16]
    """(n, 1): what shines through, 0 to 256."""

    def lay(self, canvas: Canvas, dx: int, dy: int) -> None:
        """Composites over the canvas, shifted by whole pixels; what lies outside is left out."""
        height, width = self.words.shape
        x, y = self.left + dx, self.top + dy
        x0, y0 = max(0, -x), max(0, -y)
        x1, y1 = min(width, canvas.shape[1] - x), min(height, canvas.shape[0] - y)
        if x0 >= x1 or y0 >= y1:
            return
        inside = (slice(y0, y1), slice(x0, x1))
        under = canvas.view(np.uint32)[y + y0 : y + y1, x + x0 : x + x1, 0]
        np.copyto(under, self.words[inside], where=self.opaque[inside])
        rows, columns = self.edge[:, 0], self.edge[:, 1]
        colour, through = self.edge_colour, self.edge_through
        if (x0, y0, x1, y1) != (0, 0, width, height):
            seen = (rows >= y0) & (rows < y1) & (columns >= x0) & (columns < x1)
            rows, columns, colour, through = rows[seen], columns[seen], colour[seen], through[seen]
        canvas[rows + y, columns + x] = ((canvas[rows + y, columns + x] * through) >> 8) + colour


def canvas_from(colour: Floats) -> Canvas:
    """Returns a canvas of (h, w, 3) colours from 0 to 1."""
    canvas = np.full((*colour.shape[:2], 4), 255, np.uint8)
    canvas[..., :3] = np.clip(colour * 255 + 0.5, 0, 255)
    return canvas


def sprite_from(sheet: Sheet) -> Sprite:
    """Returns what was drawn on the sheet."""
    alpha = sheet.pixels[..., 3]
    opaque = alpha >= _OPAQUE
    edge = np.argwhere((alpha > _NOTHING) & ~opaque)
    rows, columns = edge[:, 0], edge[:, 1]
    through = np.rint((1 - alpha[rows, columns, None]) * 256)
    # Rounding both must not carry beyond 255.
    colour = np.minimum(np.rint(sheet.pixels[rows, columns] * 255), 255 - (255 * through).astype(np.int64) // 256)
    colour[:, 3] = 255 - (255 * through[:, 0]).astype(np.int64) // 256
    words = canvas_from(sheet.pixels[..., :3]).view(np.uint32)[..., 0]
    return Sprite(sheet.left, sheet.top, words, opaque, edge, colour.astype(np.uint16), through.astype(np.uint16))
