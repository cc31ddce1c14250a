"""Hair: what hangs behind the shoulders' line with the body, and what moves with the head."""

from __future__ import annotations

import math

from meetctl.local.simli.face.head import CENTRE
from meetctl.local.simli.face.look import Hair, Look
from meetctl.local.simli.face.raster import Floats, Sheet, curve, ellipse, mirrored, mix, shifted, stroke, vertical

_Points = list[tuple[float, float]]

_SKULL: _Points = [(0, 74), (44, 79), (82, 104), (103, 150), (107, 196)]
"""Right half of the outer contour of hair that lies close, from the crown down."""

_BACK: dict[Hair, _Points] = {
    Hair.BOB: [(0, 82), (70, 100), (112, 160), (122, 240), (120, 312), (98, 352), (60, 356), (0, 350)],
    Hair.LONG: [(0, 82), (72, 98), (114, 160), (122, 250), (132, 340), (140, 420), (118, 470), (60, 470), (0, 470)],
}

BEHIND_SHOULDERS = frozenset(_BACK)
"""Styles of which a part stays with the body."""

_SIDES: dict[Hair, tuple[_Points, _Points]] = {
    # outer contour from the crown down the right side; hairline back up, both as (distance from the centre, y)
    Hair.BOB: (
        [(0, 72), (50, 77), (92, 106), (115, 165), (121, 240), (119, 305), (102, 338)],
        [(86, 322), (88, 270), (89, 222), (84, 182), (66, 153), (36, 143), (0, 141)],
    ),
    Hair.LONG: (
        [(0, 72), (50, 77), (92, 106), (115, 165), (122, 250), (124, 320), (121, 374)],
        [(114, 366), (98, 310), (92, 260), (90, 215), (83, 176), (62, 146), (30, 126), (0, 112)],
    ),
    Hair.CROP: (
        [(0, 76), (44, 80), (80, 104), (100, 150), (103, 208)],
        [(93, 206), (90, 176), (80, 146), (58, 131), (30, 126), (0, 125)],
    ),
    Hair.BUN: (
        [(0, 78), (44, 82), (82, 106), (102, 150), (104, 204)],
        [(92, 212), (90, 178), (80, 146), (56, 122), (28, 111), (0, 108)],
    ),
}


def draw_back_hair(sheet: Sheet, look: Look) -> None:
    """Draws the hair that lies behind neck and shoulders."""
    dark = mix(look.hair_colour, (0.03, 0.02, 0.04), 0.38)
    if look.hair in _BACK:
        mask = sheet.fill(
            curve(mirrored(_BACK[look.hair], CENTRE)), vertical(180, 470, dark, mix(dark, look.hair_colour, 0.75))
        )
        sheet.glow((CENTRE, 330), (84, 120), mix(dark, (0.03, 0.02, 0.04), 0.45), 0.7, mask)
        for side in (-1, 1):
            for index, lean in enumerate((0.86, 0.95, 1.06, 1.16)):
                x = CENTRE + side * (74 + index * 14)
                line = [(x - side * 8, 210), (x, 320), (CENTRE + (x - CENTRE) * lean + side * 4, 470)]
                tone = mix(look.hair_colour, (1.0, 0.92, 0.85), 0.2) if index % 2 else dark
                sheet.fill(stroke(line, (1, 7, 1)), tone, 0.22, mask)


def draw_hair_behind_head(sheet: Sheet, look: Look) -> None:
    """Draws what is behind the skull and moves with it: a bun, the mass of curls."""
    dark = mix(look.hair_colour, (0.03, 0.02, 0.04), 0.25)
    if look.hair is Hair.BUN:
        mask = sheet.fill(ellipse(CENTRE, 76, 42, 34), vertical(46, 112, mix(look.hair_colour, (1, 1, 1), 0.12), dark))
        for turn in (-18, 0, 18):
            sheet.fill(
                stroke([(CENTRE - 30 + turn, 90), (CENTRE + turn, 58), (CENTRE + 34 + turn, 78)], (1, 4, 1)),
                dark,
                0.5,
                mask,
            )
    elif look.hair is Hair.CURLS:
        for x, y, radius in _curls(104, 26):
            sheet.fill(ellipse(x, y, radius, radius), dark)
        sheet.fill(ellipse(CENTRE, 180, 112, 104), dark)


def draw_front_hair(sheet: Sheet, look: Look, face: Floats) -> None:
    """Draws the hair over the forehead and at the sides."""
    if look.hair is Hair.CURLS:
        _draw_curls(sheet, look)
        return
    path = _side_part() if look.hair is Hair.SIDE_PART else _symmetric(*_SIDES[look.hair])
    _cast_shadow(sheet, look, path, face)
    lit, dark = mix(look.hair_colour, (1.0, 0.9, 0.8), 0.20), mix(look.hair_colour, (0.03, 0.02, 0.04), 0.22)
    mask = sheet.fill(path, vertical(70, 300, lit, dark))
    _draw_strands(sheet, look, mask, dark)
    shine = mix(look.hair_colour, (1.0, 0.95, 0.9), 0.55)
    sheet.glow((CENTRE - 34, 104), (62, 22), shine, 0.42, mask)
    sheet.glow((CENTRE + 62, 122), (30, 24), shine, 0.20, mask)


def _symmetric(outer: _Points, line: _Points) -> Floats:
    right = [(CENTRE + x, y) for x, y in [*outer, *line]]
    left = [(CENTRE - x, y) for x, y in [*reversed(line[:-1]), *reversed(outer[1:])]]
    return curve([*right, *left])


def _side_part() -> Floats:
    points = [
        (150, 208), (148, 160), (160, 108), (196, 74), (250, 62), (310, 70), (348, 104), (363, 152), (361, 208),
        (351, 208), (348, 176), (340, 152), (316, 140), (276, 140), (238, 132), (208, 121), (192, 134), (174, 152),
        (164, 180), (161, 208),
    ]  # fmt: skip
    return curve([(float(x), float(y)) for x, y in points])


def _cast_shadow(sheet: Sheet, look: Look, path: Floats, face: Floats) -> None:
    for drop, strength in ((4, 0.16), (8, 0.12), (13, 0.08)):
        sheet.fill(shifted(path, 0, drop), look.shade, strength, face)


def _draw_strands(sheet: Sheet, look: Look, mask: Floats, dark: tuple[float, float, float]) -> None:
    lit = mix(look.hair_colour, (1.0, 0.92, 0.85), 0.30)
    if look.hair is Hair.SIDE_PART:
        for index in range(9):
            rise = index * 9
            line = [
                (200.0 + index * 3, 112.0 - rise * 0.3),
                (262.0 + index * 6, 82 + rise * 0.5),
                (352.0, 118.0 + rise),
            ]
            sheet.fill(stroke(line, (0.8, 4.5, 0.8)), lit if index % 2 else dark, 0.30, mask)
        return
    parting = 112.0 if look.hair in (Hair.LONG, Hair.BUN) else 80.0
    for side in (-1, 1):
        for index in range(7):
            out = 24.0 + index * 14
            end = 340.0 if look.hair in _BACK else 230.0
            line = [
                (CENTRE + side * 3, parting - 34 + index * 2),
                (CENTRE + side * out, 92 + index * 7),
                (CENTRE + side * (62 + index * 8), 160 + index * 10),
                (CENTRE + side * (84 + index * 5), end),
            ]
            sheet.fill(stroke(line, (0.6, 4.0, 3.0, 0.8)), lit if index % 2 else dark, 0.28, mask)
    if look.hair is Hair.LONG:
        sheet.fill(stroke([(CENTRE, 72), (CENTRE, 92), (CENTRE, 114)], (0.6, 2.4, 1.0)), dark, 0.8, mask)


def _curls(reach: float, size: float) -> list[tuple[float, float, float]]:
    found = []
    for index in range(19):
        angle = math.pi * (1.16 - 1.32 * index / 18)
        wobble = 1 + 0.05 * math.sin(index * 2.4)
        found.append(
            (
                CENTRE + math.cos(angle) * reach * wobble,
                178 - math.sin(angle) * reach * 0.98 * wobble,
                size + 4 * math.sin(index * 1.7),
            )
        )
    return found


def _draw_curls(sheet: Sheet, look: Look) -> None:
    lit, dark = mix(look.hair_colour, (1.0, 0.9, 0.8), 0.24), mix(look.hair_colour, (0.03, 0.02, 0.04), 0.15)
    for row, (reach, size) in enumerate(((98.0, 19.0), (84.0, 18.0), (70.0, 15.0))):
        for index, (x, y, radius) in enumerate(_curls(reach, size)):
            if y > 192 - row * 36:
                continue
            sheet.fill(ellipse(x, y, radius, radius), mix(dark, lit, 0.25 + 0.25 * ((index + row) % 3)))
            sheet.fill(
                stroke(
                    [
                        (x - radius * 0.5, y + radius * 0.2),
                        (x - radius * 0.2, y - radius * 0.55),
                        (x + radius * 0.5, y - radius * 0.3),
                    ],
                    (0.8, 3.0, 0.8),
                ),
                lit,
                0.5,
            )
