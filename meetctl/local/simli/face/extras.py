"""What some faces wear over the eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face.head import CENTRE, EYE_LINE
from meetctl.local.simli.face.look import Look
from meetctl.local.simli.face.raster import Sheet, mix, stroke

_ROUNDNESS = 3.2
"""Exponent of the superellipse of a lens: 2 is an ellipse, more is squarer."""


def draw_glasses(sheet: Sheet, look: Look) -> None:
    """Draws a pair of glasses."""
    frame = mix(look.clothes, (0.1, 0.08, 0.1), 0.75)
    for side in (-1, 1):
        x, y = CENTRE + side * (look.eye_gap + 0.5), EYE_LINE + 1
        angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
        unit = np.stack([_power(np.cos(angle)), _power(np.sin(angle))], 1)
        lens = sheet.mask(np.asarray(unit * (33, 27) + (x, y), np.float32))
        rim = sheet.mask(np.asarray(unit * (36, 30) + (x, y), np.float32))
        sheet.cover(lens, (0.92, 0.97, 1.0), 0.07)
        sheet.glow((x - 12, y - 14), (26, 12), (1, 1, 1), 0.22, lens)
        sheet.cover(np.clip(rim - lens, 0, 1), frame)
        arm = [(x + side * 35, y - 8), (x + side * 44, y - 9), (x + side * 56, y - 6)]
        sheet.fill(stroke(arm, (4, 4, 3)), frame)
    bridge = [
        (CENTRE - look.eye_gap + 35.5, EYE_LINE - 3),
        (CENTRE, EYE_LINE - 7),
        (CENTRE + look.eye_gap - 35.5, EYE_LINE - 3),
    ]
    sheet.fill(stroke(bridge, (3.4, 3.0, 3.4)), frame)


def _power(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(value) * np.abs(value) ** (2 / _ROUNDNESS))
