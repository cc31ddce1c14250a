"""What a face looks like: chosen from a face id, always the same for the same id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from meetctl.local.simli.face.raster import Colour, mix, rgb


class Hair(StrEnum):
    """Hair styles."""

    SIDE_PART = "side-part"
    BOB = "bob"
    LONG = "long"
    BUN = "bun"
    CURLS = "curls"
    CROP = "crop"


class Garment(StrEnum):
    """What is seen of the clothes."""

    CREW = "crew"
    SHIRT = "shirt"
    BLAZER = "blazer"
    HOODIE = "hoodie"


_SKINS = ("f6d3bd", "efc2a4", "e3ab86", "cf9168", "b0754f", "8a5638", "66402b")
_HAIRS = ("2a211e", "3d2a22", "5b3a26", "7d4f2e", "a9713c", "c99a5b", "8c3f25", "4a4c55")
_EYES = ("5b3a22", "3f6b4f", "3d6a92", "6b5a34", "52707a", "4a3020")
_CLOTHES = ("2f4858", "86473f", "3f5e4e", "5a4a78", "c08a3e", "33415c", "a35d6a", "47706f")
_GROUNDS = (("f3dcc5", "dd9f83"), ("cfe3ea", "7ba6bd"), ("dcd6ee", "9186c0"), ("d5e6d3", "7fa98b"))
_MORE_GROUNDS = (("f5e1b8", "d9ab5e"), ("f1d2d6", "c98795"), ("d3e4e2", "6f9d9b"), ("e3e0da", "a3a09a"))


@dataclass(frozen=True, slots=True)
class Look:
    """The choices that make a face."""

    skin: Colour
    hair_colour: Colour
    eyes: Colour
    clothes: Colour
    ground: tuple[Colour, Colour]
    """Lit and shaded side of the background."""
    hair: Hair
    garment: Garment
    jaw: float
    """Width of the jaw, 0.92 to 1.06."""
    eye_gap: float
    """Half the distance of the eyes, units."""
    brow: float
    """Thickness, 0.8 to 1.3."""
    lips: float
    """Fullness, 0.85 to 1.2."""
    glasses: bool
    beard: bool
    freckles: bool

    @property
    def shade(self) -> Colour:
        """Skin in shadow."""
        return mix(self.skin, (0.45, 0.12, 0.10), 0.30)

    @property
    def light(self) -> Colour:
        """Skin in light."""
        warmth = min(1.0, max(0.0, (sum(self.skin) - 0.9) / 0.9))  # on dark skin a pale light looks like ash
        return mix(self.skin, mix((0.92, 0.58, 0.38), (1.0, 0.95, 0.86), warmth), 0.38)


def look_for(face_id: str) -> Look:
    """Returns the look of a face id; its emotion, after a slash, changes nothing."""
    digest = hashlib.blake2b(face_id.partition("/")[0].encode(), digest_size=16).digest()
    hair = list(Hair)[digest[0] % len(Hair)]
    skin = rgb(_SKINS[digest[1] % len(_SKINS)])
    dark_skin = sum(skin) < 1.6
    hair_colours = _HAIRS[:3] if dark_skin else _HAIRS
    ground = (*_GROUNDS, *_MORE_GROUNDS)[digest[2] % 8]
    masculine = hair in (Hair.SIDE_PART, Hair.CROP)
    return Look(
        skin=skin,
        hair_colour=rgb(hair_colours[digest[3] % len(hair_colours)]),
        eyes=rgb(_EYES[0] if dark_skin else _EYES[digest[4] % len(_EYES)]),
        clothes=rgb(_CLOTHES[digest[5] % len(_CLOTHES)]),
        ground=(rgb(ground[0]), rgb(ground[1])),
        hair=hair,
        garment=list(Garment)[digest[6] % len(Garment)],
        jaw=(0.99 if masculine else 0.93) + digest[7] / 255 * 0.06,
        eye_gap=42.5 + digest[8] / 255 * 4,
        brow=(1.05 if masculine else 0.8) + digest[9] / 255 * 0.25,
        lips=(0.85 if masculine else 1.0) + digest[10] / 255 * 0.2,
        glasses=digest[11] % 4 == 0,
        beard=masculine and digest[12] % 2 == 0,
        freckles=not dark_skin and digest[13] % 4 == 0,
    )
