"""Eyes and brows, drawn anew when they move."""

from __future__ import annotations

import numpy as np

from meetctl.local.simli.face.head import CENTRE, EYE_LINE
from meetctl.local.simli.face.look import Look
from meetctl.local.simli.face.raster import Floats, Sheet, curve, ellipse, mix, radial, stroke

BOX_SIZE = (78.0, 76.0)
"""Width and height of what one eye and its brow may cover, units."""
_LASH = (0.13, 0.08, 0.08)
_WHITE = (0.985, 0.97, 0.96)


def eye_box(look: Look, side: int) -> tuple[float, float, float, float]:
    """Returns x, y, width, height around one eye and its brow; side -1 is the left as seen."""
    return CENTRE + side * look.eye_gap - 39, EYE_LINE - 51, *BOX_SIZE


def draw_eye(sheet: Sheet, look: Look, side: int, blink: float, gaze: tuple[float, float], brows: float) -> None:
    """Draws one eye with its brow."""
    x, y = CENTRE + side * look.eye_gap, EYE_LINE
    _draw_brow(sheet, look, side, brows - 0.12 * blink)
    inner, outer = x - side * 23.5, x + side * 25
    lid = y - 15.5 + 23.5 * blink
    upper = [
        (inner, y + 4 + blink * 1.5),
        (x - side * 11, lid + 3.0 * (1 - blink) + 1),
        (x + side * 3, lid),
        (x + side * 17, lid + 4.5 * (1 - blink) - 1.2 * blink),
        (outer, y - 0.5 + 3.5 * blink),
    ]
    lower = [
        (outer, y - 0.5 + 3.5 * blink),
        (x + side * 15, y + 8.5),
        (x, y + 10.5),
        (x - side * 14, y + 8.5),
        (inner, y + 4 + blink * 1.5),
    ]
    top, bottom = curve(upper, closed=False), curve(lower, closed=False)
    if blink < 0.93:
        _draw_ball(sheet, look, (x, y), gaze, np.concatenate([top, bottom[1:]]))
    crease = [(px, py - 6.5 * (1 - 0.85 * blink) - 1) for px, py in upper[1:4]]
    sheet.fill(stroke(crease, (0.4, 1.8, 0.6)), mix(look.shade, (0.25, 0.08, 0.06), 0.4), 0.55)
    lash = 2.2 + (0.9 if look.lips > 1 else 0.0)
    sheet.fill(stroke(upper, (0.9, lash, lash + 0.8, lash + 1.2, 1.4)), _LASH, 0.95)
    flick = [
        upper[-2],
        (outer - side * 1, upper[-1][1] - 1.5),
        (outer + side * (5 if look.lips > 1 else 2.5), upper[-1][1] - 4 + 6 * blink),
    ]
    sheet.fill(stroke(flick, (2.6, 2.4, 0.3)), _LASH, 0.9)
    sheet.fill(stroke(lower, (0.3, 0.9, 1.0, 0.8, 0.3)), mix(look.shade, _LASH, 0.45), 0.55)


def _draw_ball(
    sheet: Sheet, look: Look, centre: tuple[float, float], gaze: tuple[float, float], opening: Floats
) -> None:
    x, y = centre
    inside = sheet.fill(opening, _WHITE)
    sheet.glow((x, y - 14), (34, 17), (0.52, 0.46, 0.50), 0.55, inside)
    ix, iy = x + gaze[0] * 7.5, y - 2.4 + gaze[1] * 4
    rim, deep = mix(look.eyes, (0, 0, 0), 0.55), mix(look.eyes, (1, 0.95, 0.8), 0.28)
    sheet.fill(ellipse(ix, iy, 12.4, 12.4), rim, 1.0, inside)
    iris = sheet.fill(ellipse(ix, iy, 11.2, 11.2), radial(ix, iy + 3, 13, deep, mix(look.eyes, rim, 0.35)), 1.0, inside)
    sheet.glow((ix, iy + 7), (9, 6), mix(look.eyes, (1, 1, 0.9), 0.5), 0.7, iris * inside)
    sheet.fill(ellipse(ix, iy, 5.3, 5.3), (0.04, 0.03, 0.04), 1.0, inside)
    sheet.glow((ix, iy - 13), (16, 11), (0.05, 0.03, 0.05), 0.55, inside)
    sheet.fill(ellipse(ix - 4.0, iy - 4.4, 3.3, 3.6), (1, 1, 1), 0.96, inside)
    sheet.fill(ellipse(ix + 4.4, iy + 4.6, 1.6, 1.6), (1, 1, 1), 0.7, inside)


def _draw_brow(sheet: Sheet, look: Look, side: int, lift: float) -> None:
    x, y = CENTRE + side * look.eye_gap, EYE_LINE - 31 - 5 * lift
    frown = max(0.0, -lift) * 4
    line = [
        (x - side * 24, y + 2.2 + frown),
        (x - side * 8, y - 3 + frown * 0.4),
        (x + side * 11, y - 4.5),
        (x + side * 30, y + 6.5),
    ]
    colour = mix(look.hair_colour, (0.12, 0.08, 0.07), 0.35)
    sheet.fill(stroke(line, (4.2 * look.brow, 7.4 * look.brow, 6.2 * look.brow, 1.0)), colour, 0.88)
