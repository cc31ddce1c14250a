"""The mouth, drawn anew for each shape: lips, teeth, tongue."""

from __future__ import annotations

import numpy as np

from meetctl.local.simli.face.head import CENTRE, MOUTH_LINE
from meetctl.local.simli.face.look import Look
from meetctl.local.simli.face.pose import Mouth
from meetctl.local.simli.face.raster import Floats, Sheet, curve, ellipse, mix, stroke, vertical

BOX = (CENTRE - 56, MOUTH_LINE - 28, 112.0, 78.0)
"""What any shape of the mouth may cover, units, with the head in the middle."""

_HALF_WIDTH = 29.0
_DEEPEST = 35.0
"""How far apart the lips are at most, units."""
_TEETH = (0.975, 0.96, 0.93)
_DARK = (0.20, 0.045, 0.06)


def draw_mouth(sheet: Sheet, look: Look, mouth: Mouth) -> None:
    """Draws the mouth in the given shape."""
    half = _HALF_WIDTH * (1 + 0.20 * mouth.wide - 0.40 * mouth.round - 0.06 * mouth.open)
    gap = _DEEPEST * mouth.open + (7 * mouth.teeth + 9 * mouth.round) * (1 - mouth.open)
    y = MOUTH_LINE
    upper_in, lower_in = y - 0.26 * gap, y + 0.74 * gap
    corner = y - 4.6 * (1 - mouth.round) - 1.5 * mouth.wide + (0.18 + 0.26 * mouth.round) * gap
    pull = 0.55 + 0.17 * mouth.round + 0.10 * mouth.open  # how square the opening is
    inner_top = _arc(half - 1.5, corner, upper_in, pull)
    inner_low = _arc(half - 1.5, corner, lower_in, pull)
    full = look.lips * (1 - 0.10 * mouth.wide + 0.30 * mouth.round)
    top_out = upper_in - 7.4 * full
    low_out = lower_in + 9.4 * full
    shoulder = 0.66 + 0.16 * mouth.round
    bow = [
        (CENTRE - half - 2.5, corner), (CENTRE - half * 0.62, _between(corner, top_out, shoulder)),
        (CENTRE - half * 0.22, top_out - 0.4), (CENTRE, top_out + 2.2 - 1.8 * mouth.round),
        (CENTRE + half * 0.22, top_out - 0.4),
        (CENTRE + half * 0.62, _between(corner, top_out, shoulder)), (CENTRE + half + 2.5, corner),
    ]  # fmt: skip
    bottom = _arc(half + 2.5, corner, low_out, pull + 0.04)
    lip = mix(mix(look.skin, (0.72, 0.22, 0.24), 0.52), look.shade, 0.22)
    sheet.glow((CENTRE, low_out + 6), (half * 0.8, 8), look.shade, 0.1 if look.beard else 0.42)
    bow_path = curve(bow, closed=False)
    outer = np.concatenate([bow_path, bottom[::-1]])
    sheet.fill(outer, vertical(top_out, low_out, mix(lip, (0.35, 0.06, 0.10), 0.30), mix(lip, (1, 0.8, 0.75), 0.14)))
    if gap > 1.0:
        _draw_inside(sheet, mouth, np.concatenate([inner_top, inner_low[::-1]]), (upper_in, lower_in), half)
    seam = inner_low if gap <= 1.0 else inner_top
    depth = 1.7 if gap <= 1.0 else 1.1
    line = [(float(px), float(py)) for px, py in seam[:: max(1, len(seam) // 8)]]
    sheet.fill(stroke(line, (0.6, depth, depth, depth, 0.6)), mix(_DARK, lip, 0.25), 0.75)
    for side in (-1, 1):
        sheet.glow((CENTRE + side * (half + 3.5), corner + 0.5), (6, 5), look.shade, 0.2 if look.beard else 0.7)
    sheet.fill(ellipse(CENTRE - 3, _between(lower_in, low_out, 0.48), half * 0.36, 1.9 * full), (1, 0.9, 0.88), 0.30)


def _draw_inside(sheet: Sheet, mouth: Mouth, opening: Floats, rims: tuple[float, float], half: float) -> None:
    upper, lower = rims
    gap = lower - upper
    inside = sheet.fill(opening, vertical(upper, lower, _DARK, mix(_DARK, (0.45, 0.1, 0.1), 0.5)))
    if gap > 9:
        tongue = ellipse(CENTRE, lower + 2, half * 0.66, gap * 0.40)
        sheet.fill(tongue, vertical(lower - gap * 0.4, lower, (0.80, 0.36, 0.36), (0.62, 0.22, 0.25)), 0.9, inside)
    shown = max(0.42 * (1 - 0.8 * mouth.round), mouth.teeth)
    height = min(gap, 3.0 + 9.5 * shown)
    teeth = curve(
        [
            (CENTRE - half, upper - 9),
            (CENTRE + half, upper - 9),
            (CENTRE + half * 0.92, upper + height * 0.72),
            (CENTRE, upper + height),
            (CENTRE - half * 0.92, upper + height * 0.72),
        ]
    )
    sheet.fill(
        teeth,
        vertical(upper - 2, upper + height, mix(_TEETH, _DARK, 0.22), _TEETH),
        min(1.0, 0.35 + shown * 1.5),
        inside,
    )
    if mouth.teeth > 0.25:
        low = curve(
            [
                (CENTRE - half * 0.8, lower + 8),
                (CENTRE + half * 0.8, lower + 8),
                (CENTRE + half * 0.75, lower - 3.2),
                (CENTRE, lower - 3.6),
                (CENTRE - half * 0.75, lower - 3.2),
            ]
        )
        sheet.fill(low, mix(_TEETH, _DARK, 0.10), mouth.teeth, inside)
        sheet.fill(
            stroke(
                [
                    (CENTRE - half, upper + gap * 0.56),
                    (CENTRE, upper + gap * 0.62),
                    (CENTRE + half, upper + gap * 0.56),
                ],
                (0.8, 1.3, 0.8),
            ),
            _DARK,
            0.6 * mouth.teeth,
            inside,
        )
    sheet.glow((CENTRE, upper - 2), (half * 1.1, 7), _DARK, 0.35, inside)


def _arc(half: float, corner: float, middle: float, pull: float) -> Floats:
    """Returns a lip's edge from left corner to right."""
    t = np.linspace(-1, 1, 41, dtype=np.float32)
    bend = (1 - np.abs(t) ** (1 / (1.02 - pull))) ** 0.9
    return np.stack([CENTRE + half * t, corner + (middle - corner) * bend], 1).astype(np.float32)


def _between(one: float, other: float, share: float) -> float:
    return one + (other - one) * share
