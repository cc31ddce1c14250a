"""The still parts of a head: skull, ears, light and shade, nose, beard. Eyes, brows and mouth are drawn over it."""

from __future__ import annotations

from meetctl.local.simli.face.look import Look
from meetctl.local.simli.face.raster import Floats, Sheet, curve, ellipse, mirrored, mix, radial, stroke

CENTRE = 256.0
EYE_LINE = 219.0
MOUTH_LINE = 297.0
BOX = (116.0, 30.0, 280.0, 346.0)
"""The part of the picture that moves with the head, units."""


def outline(look: Look) -> Floats:
    """Returns the contour of the face."""
    jaw = look.jaw
    half = [
        (0, 104),
        (46, 110),
        (78, 136),
        (93, 178),
        (95, 222),
        (92 * jaw, 262),
        (78 * jaw, 303),
        (52 * jaw, 333),
        (24, 348),
        (0, 351),
    ]
    return curve(mirrored(half, CENTRE))


def draw_head(sheet: Sheet, look: Look) -> None:
    """Draws the head without hair."""
    _draw_ears(sheet, look)
    skin = radial(CENTRE - 18, 205, 190, look.light, mix(look.skin, look.shade, 0.45))
    face = sheet.fill(outline(look), skin)
    _draw_shading(sheet, look, face)
    if look.beard:
        _draw_beard(sheet, look, face)
    _draw_nose(sheet, look, face)
    if look.freckles:
        _draw_freckles(sheet, look, face)


def _draw_ears(sheet: Sheet, look: Look) -> None:
    for side in (-1, 1):
        x = CENTRE + side * 95
        sheet.fill(ellipse(x, 228, 14, 25, tilt=side * 0.12), mix(look.skin, look.shade, 0.25))
        sheet.fill(ellipse(x + side * 1, 228, 7, 16, tilt=side * 0.12), mix(look.skin, look.shade, 0.75), 0.6)


def _draw_shading(sheet: Sheet, look: Look, face: Floats) -> None:
    sheet.glow((CENTRE + 100, 250), (70, 150), look.shade, 0.45, face)
    sheet.glow((CENTRE - 112, 250), (52, 140), look.shade, 0.28, face)
    sheet.glow((CENTRE, 362), (90, 40), look.shade, 0.5, face)
    sheet.glow((CENTRE, 120), (110, 62), look.shade, 0.30, face)
    sheet.glow((CENTRE - 26, 168), (66, 42), look.light, 0.55, face)
    blush = mix(look.skin, (0.92, 0.30, 0.26), 0.42)
    for side in (-1, 1):
        sheet.glow((CENTRE + side * 54, 262), (38, 27), blush, 0.34, face)
        sheet.glow((CENTRE + side * 50, 246), (27, 13), look.light, 0.35, face)
        sheet.glow((CENTRE + side * look.eye_gap, EYE_LINE - 8), (34, 24), look.shade, 0.38, face)
    sheet.glow((CENTRE, 326), (26, 15), look.light, 0.38, face)
    sheet.glow((CENTRE, 318), (30, 8), look.shade, 0.35, face)


def _draw_nose(sheet: Sheet, look: Look, face: Floats) -> None:
    dark = mix(look.shade, (0.28, 0.08, 0.06), 0.35)
    sheet.glow((CENTRE + 12, 246), (13, 34), look.shade, 0.42, face)
    sheet.glow((CENTRE, 270), (25, 12), look.shade, 0.55, face)
    sheet.glow((CENTRE - 3, 232), (8, 42), look.light, 0.6, face)
    sheet.glow((CENTRE - 2, 258), (13, 10), look.light, 0.75, face)
    for side in (-1, 1):
        sheet.fill(ellipse(CENTRE + side * 8.5, 268.5, 4.2, 2.3, tilt=side * 0.35), dark, 0.62)
        wing = [(CENTRE + side * 16, 257), (CENTRE + side * 19, 264), (CENTRE + side * 15.5, 270)]
        sheet.fill(stroke(wing, (0.6, 2.0, 0.8)), dark, 0.28)


def _draw_beard(sheet: Sheet, look: Look, face: Floats) -> None:
    colour = mix(look.hair_colour, look.skin, 0.12)
    half_out = [(0, 372), (40, 362), (76, 332), (104, 268), (106, 196)]
    half_in = [(90, 196), (84, 254), (64, 281), (40, 281), (22, 276), (0, 279)]
    outer = [(CENTRE + x, y) for x, y in half_out]
    inner = [(CENTRE + x, y) for x, y in half_in]
    left = [(2 * CENTRE - x, y) for x, y in reversed(inner[:-1])] + [
        (2 * CENTRE - x, y) for x, y in reversed(outer[1:])
    ]
    shape = sheet.mask(curve([*outer, *inner, *left], detail=10))
    sheet.cover(shape * face, colour, 0.86)
    sheet.glow((CENTRE, 338), (60, 22), mix(colour, (1, 1, 1), 0.25), 0.28, shape * face)


def _draw_freckles(sheet: Sheet, look: Look, face: Floats) -> None:
    dots = ((-62, 252), (-52, 260), (-44, 250), (-36, 259), (-57, 268), (-28, 251), (-46, 268), (-8, 244), (6, 250))
    for x, y in dots:
        for side in (-1, 1):
            sheet.glow((CENTRE + side * x, y + side), (2.6, 2.3), look.shade, 0.75, face)
