"""A test picture that says which one it is: a number as bars at the top, over a ground that is known for each number.

Whoever sees it, any number of encoders later, can read the number, draw the same picture again and compare the two.
"""

from __future__ import annotations

import functools

import numpy as np
from meetctl_agents.face.media.frames import I420, Samples, chroma_shape, i420_length

BITS = 12
NUMBERS = 1 << BITS
"""Numbers begin again after so many: 163 s at 25 frames a second."""
CELLS = BITS + 2
"""A white and a black bar come first: no other picture is taken for a number."""
BLACK, WHITE = 24, 228
DRIFT = 2
"""Pixels by which the ground moves from picture to picture."""
SMALLEST = 56
"""Pixels of width below which the bars are too thin."""


def draw(number: int, width: int, height: int) -> I420:
    """Returns the picture of that number."""
    data = np.empty(i420_length(width, height), np.uint8)
    picture = I420(width, height, data)
    luma, u, v = picture.planes
    ground, chroma = _ground(width, height)
    shift = number * DRIFT % width
    luma[:] = ground[:, shift : shift + width]
    u[:], v[:] = chroma, 255 - chroma
    for cell in range(CELLS):
        luma[_cell(cell, width, height)] = WHITE if (number << 2 | 1) >> cell & 1 else BLACK
    return picture


def read(luma: Samples, width: int, height: int) -> int | None:
    """Returns the number in a luma plane, None where there is none to be read."""
    if width < SMALLEST or luma.shape[0] < 8:
        return None  # a track that ends may show 8x8 black pixels
    marked = 0
    for cell in range(CELLS):
        bar = luma[_cell(cell, width, height)]
        rows, columns = bar.shape[0] // 4, bar.shape[1] // 4
        level = float(bar[rows:-rows, columns:-columns].mean())
        if 90 < level < 160:
            return None
        marked |= (level > 125) << cell
    return marked >> 2 if marked & 3 == 1 else None


def psnr(seen: Samples, number: int, width: int, height: int) -> float:
    """Returns how near a luma plane, of at least that size, is to the picture of that number, in dB."""
    true = draw(number, width, height).planes[0]
    error = float(np.square(seen[:height, :width].astype(np.float32) - true).mean())
    return 99.0 if error < 1e-9 else float(10 * np.log10(255**2 / error))


def _cell(cell: int, width: int, height: int) -> tuple[slice, slice]:
    return slice(0, max(8, height // 10)), slice(cell * width // CELLS, (cell + 1) * width // CELLS)


@functools.lru_cache(maxsize=16)
def _ground(width: int, height: int) -> tuple[Samples, Samples]:
    """Luma of two turns of the ground's width, and chroma; smooth, with a little texture."""
    x = np.arange(2 * width) * 2 * np.pi / width
    y = np.arange(height)[:, None] * 2 * np.pi / height
    luma = 125 + 50 * np.sin(x + y) + 25 * np.cos(3 * x - 2 * y) + 8 * np.sin(9 * x) * np.sin(7 * y)
    rows, columns = chroma_shape(width, height)
    chroma = 128 + 30 * np.sin(np.linspace(0, 6, columns)) * np.cos(np.linspace(0, 6, rows))[:, None]
    return luma.astype(np.uint8), chroma.astype(np.uint8)
