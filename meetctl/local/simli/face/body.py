"""What stays when the head moves: the ground behind, neck, shoulders and clothes."""

from __future__ import annotations

from meetctl.local.simli.face.hair import BEHIND_SHOULDERS
from meetctl.local.simli.face.head import CENTRE
from meetctl.local.simli.face.look import Garment, Look
from meetctl.local.simli.face.raster import (
    Colour,
    Floats,
    Sheet,
    curve,
    ellipse,
    mirrored,
    mix,
    radial,
    shifted,
    stroke,
    vertical,
)

_NECK_TOP = 290.0
_HAIR_TOP = 70.0


def body_box(look: Look) -> tuple[float, float, float, float]:
    """Returns x, y, width, height of what moves with the breath, units; it reaches below the picture."""
    top = _HAIR_TOP if look.hair in BEHIND_SHOULDERS else _NECK_TOP
    return CENTRE - 194, top, 388.0, 516.0 - top


def draw_ground(sheet: Sheet, look: Look) -> None:
    """Fills the whole sheet with the background."""
    lit, shaded = look.ground
    everything = ellipse(CENTRE, 256, 900, 900)
    sheet.fill(everything, radial(CENTRE - 60, 150, 430, lit, shaded))
    disc = ellipse(CENTRE, 262, 214, 214)
    sheet.fill(disc, radial(CENTRE - 60, 150, 300, mix(lit, (1, 1, 1), 0.55), mix(shaded, lit, 0.55)), 0.75)
    sheet.glow((CENTRE + 20, 330), (200, 190), mix(shaded, (0.1, 0.1, 0.2), 0.35), 0.38)


def draw_body(sheet: Sheet, look: Look) -> None:
    """Draws neck, shoulders and clothes."""
    cloth, dark = look.clothes, mix(look.clothes, (0.03, 0.03, 0.08), 0.35)
    _draw_neck(sheet, look)
    half: list[tuple[float, float]] = [
        (0, 418),
        (30, 410),
        (46, 392),
        (58, 388),
        (104, 404),
        (150, 424),
        (178, 462),
        (190, 540),
        (190, 600),
        (0, 600),
    ]
    body = sheet.mask(curve(mirrored(half, CENTRE)))
    opening = _neckline(sheet, look)
    garment = body * (1 - opening)
    sheet.cover(garment, vertical(380, 520, mix(cloth, (1, 1, 1), 0.10), mix(cloth, dark, 0.5)))
    sheet.glow((CENTRE - 110, 418), (80, 42), mix(cloth, (1, 1, 1), 0.5), 0.30, garment)
    sheet.glow((CENTRE + 150, 500), (90, 90), dark, 0.55, garment)
    for side in (-1, 1):
        sheet.fill(
            stroke([(CENTRE + side * 128, 512), (CENTRE + side * 122, 480), (CENTRE + side * 132, 452)], (3, 2, 0.5)),
            dark,
            0.45,
            garment,
        )
    _DRESS[look.garment](sheet, look, cloth, dark, garment)


def _draw_neck(sheet: Sheet, look: Look) -> None:
    half: list[tuple[float, float]] = [
        (0, 300),
        (48, 306),
        (47, 352),
        (50, 384),
        (66, 402),
        (92, 420),
        (60, 470),
        (0, 480),
    ]
    neck = sheet.fill(
        curve(mirrored(half, CENTRE)),
        vertical(330, 440, mix(look.skin, look.shade, 0.7), mix(look.skin, look.shade, 0.15)),
    )
    sheet.glow((CENTRE + 2, 352), (74, 46), mix(look.shade, (0.25, 0.06, 0.08), 0.35), 0.85, neck)
    for side in (-1, 1):
        sheet.fill(
            stroke([(CENTRE + side * 10, 428), (CENTRE + side * 30, 421), (CENTRE + side * 56, 416)], (1, 3.5, 1)),
            look.shade,
            0.5,
            neck,
        )


def _neckline(sheet: Sheet, look: Look) -> Floats:
    if look.garment is Garment.CREW:
        return sheet.mask(curve(mirrored([(0, 340), (52, 346), (56, 392), (36, 418), (0, 426)], CENTRE)))
    if look.garment is Garment.HOODIE:
        return sheet.mask(curve(mirrored([(0, 340), (50, 350), (54, 394), (30, 424), (0, 436)], CENTRE)))
    return sheet.mask(curve(mirrored([(0, 340), (50, 346), (52, 390), (30, 424), (6, 462), (0, 466)], CENTRE)))


def _dress_crew(sheet: Sheet, look: Look, cloth: Colour, dark: Colour, garment: Floats) -> None:
    line = [(CENTRE - 57, 393), (CENTRE - 36, 420), (CENTRE, 430), (CENTRE + 36, 420), (CENTRE + 57, 393)]
    sheet.fill(stroke(line, (6, 9, 9, 9, 6)), mix(cloth, dark, 0.45))
    sheet.fill(stroke([(x, y - 3) for x, y in line], (1, 2, 2, 2, 1)), mix(cloth, (1, 1, 1), 0.25), 0.6)


def _dress_hoodie(sheet: Sheet, look: Look, cloth: Colour, dark: Colour, garment: Floats) -> None:
    for side in (-1, 1):
        hood = [
            (CENTRE + side * 52, 378),
            (CENTRE + side * 86, 388),
            (CENTRE + side * 78, 420),
            (CENTRE + side * 36, 448),
            (CENTRE, 452),
            (CENTRE + side * 4, 434),
            (CENTRE + side * 32, 424),
        ]
        sheet.fill(curve(hood), vertical(378, 452, mix(cloth, (1, 1, 1), 0.16), mix(cloth, dark, 0.4)))
        cord = [(CENTRE + side * 24, 444), (CENTRE + side * 26, 470), (CENTRE + side * 23, 500)]
        sheet.fill(stroke(cord, (3.4, 3.4, 3.4)), (0.95, 0.93, 0.9), 0.9)


def _dress_shirt(sheet: Sheet, look: Look, cloth: Colour, dark: Colour, garment: Floats) -> None:
    pale = mix(cloth, (1, 1, 1), 0.28)
    sheet.fill(stroke([(CENTRE, 462), (CENTRE, 490), (CENTRE, 530)], (2, 2, 2)), dark, 0.6, garment)
    for y in (484, 510):
        sheet.fill(ellipse(CENTRE + 6, y, 3, 3), mix(pale, (1, 1, 1), 0.5))
    _collar(sheet, pale, mix(cloth, dark, 0.6))


def _dress_blazer(sheet: Sheet, look: Look, cloth: Colour, dark: Colour, garment: Floats) -> None:
    shirt = (0.95, 0.94, 0.92)
    front = [
        (CENTRE - 48, 392),
        (CENTRE + 48, 392),
        (CENTRE + 34, 450),
        (CENTRE + 14, 530),
        (CENTRE - 14, 530),
        (CENTRE - 34, 450),
    ]
    sheet.fill(curve(front), vertical(390, 520, shirt, mix(shirt, dark, 0.2)), clip=garment)
    for side in (-1, 1):
        lapel = [
            (CENTRE + side * 50, 388),
            (CENTRE + side * 84, 428),
            (CENTRE + side * 64, 446),
            (CENTRE + side * 70, 458),
            (CENTRE + side * 16, 530),
            (CENTRE + side * 30, 450),
        ]
        sheet.fill(shifted(curve(lapel, detail=6), side * 3, 3), dark, 0.4, garment)
        sheet.fill(curve(lapel, detail=6), vertical(388, 520, mix(cloth, (1, 1, 1), 0.16), mix(cloth, dark, 0.25)))
    _collar(sheet, shirt, mix(shirt, (0.3, 0.3, 0.4), 0.5))


def _collar(sheet: Sheet, pale: Colour, edge: Colour) -> None:
    for side in (-1, 1):
        flap = [
            (CENTRE + side * 50, 376),
            (CENTRE + side * 60, 398),
            (CENTRE + side * 40, 444),
            (CENTRE + side * 7, 464),
            (CENTRE + side * 30, 424),
            (CENTRE + side * 48, 394),
        ]
        sheet.fill(shifted(curve(flap, detail=8), side * 2, 4), edge, 0.5)
        sheet.fill(curve(flap, detail=8), vertical(376, 464, pale, mix(pale, edge, 0.25)))


_DRESS = {
    Garment.CREW: _dress_crew,
    Garment.HOODIE: _dress_hoodie,
    Garment.SHIRT: _dress_shirt,
    Garment.BLAZER: _dress_blazer,
}
