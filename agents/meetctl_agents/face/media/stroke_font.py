"""A small stroke alphabet, so that a name can be drawn without any font file: letters as lines and soft curves. Pure.

Letters with accents lose them; scripts that are not Latin are not drawn. Units: baseline 0, small letters 4 high,
capitals 6, descenders to -1.9.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

SPACING = 1.5
"""Between two letters."""
SPACE = 2.2
"""The width of a blank."""
CAPITAL = 6.0
"""The height of a capital."""

_BOWL = "o 1.8,4.1 3.1,3.5 3.6,2 3.1,.5 1.8,-.1 .5,.5 0,2 .5,3.5"
_ARCH = "~ 0,2.2 .4,3.4 1.7,4.1 2.9,3.7 3.2,2.4 3.2,0"
_BIG_C = "~ 4.6,4.8 3.9,5.8 2.6,6.1 .9,5.5 0,3.9 0,2.1 .9,.5 2.6,-.1 3.9,.2 4.7,1.2"
_BIG_O = "o 2.6,6.1 4.3,5.4 5.1,3.9 5.1,2.1 4.3,.6 2.6,-.1 .9,.6 .1,2.1 .1,3.9 .9,5.4"
_BIG_P = "0,0 0,6; ~ 0,6 2.3,6 3.8,5.6 4.1,4.3 3.8,3 2.3,2.7 0,2.7"

_STROKES: dict[str, str] = {
    "a": f"{_BOWL}; 3.6,4 3.6,0",
    "b": f"{_BOWL}; 0,6.2 0,0",
    "c": "~ 3.3,3.3 2.4,4 1.6,4.1 .5,3.5 0,2 .5,.5 1.6,-.1 2.4,0 3.3,.7",
    "d": f"{_BOWL}; 3.6,6.2 3.6,0",
    "e": "0,2.1 3.5,2.1; ~ 3.5,2.1 3.2,3.5 1.8,4.1 .5,3.5 0,2 .5,.5 1.8,-.1 2.7,0 3.4,.7",
    "f": "~ 2.4,6 1.7,6.2 1,5.8 .8,4.8 .8,3.6; .8,3.7 .8,0; 0,4 2.1,4",
    "g": f"{_BOWL}; 3.6,4 3.6,0; ~ 3.6,.2 3.5,-1 2.9,-1.8 1.7,-1.9 .4,-1.4",
    "h": f"0,6.2 0,0; {_ARCH}",
    "i": ".2,4 .2,0; .2,5.6 .2,5.7",
    "j": ".8,4 .8,-.6; ~ .8,-.5 .7,-1.5 .1,-1.9 -.5,-1.7; .8,5.6 .8,5.7",
    "k": "0,6.2 0,0; 2.9,4 0,1.4; 1.1,2.4 3.1,0",
    "l": ".2,6.2 .2,0",
    "m": "0,4 0,0; ~ 0,2.4 .3,3.5 1.4,4.1 2.4,3.7 2.7,2.6 2.7,0; ~ 2.7,2.4 3,3.5 4.1,4.1 5.1,3.7 5.4,2.6 5.4,0",
    "n": f"0,4 0,0; {_ARCH}",
    "o": _BOWL,
    "p": f"{_BOWL}; 0,4 0,-1.9",
    "q": f"{_BOWL}; 3.6,4 3.6,-1.9",
    "r": "0,4 0,0; ~ 0,2.2 .4,3.4 1.3,4.1 2.1,4",
    "s": "~ 2.8,3.4 2.1,4 1.3,4.1 .4,3.8 .2,3 .7,2.3 2.2,1.8 2.9,1.1 2.6,.2 1.5,-.1 .6,0 0,.7",
    "t": ".9,5.4 .9,1.2; ~ .9,1.4 1,.4 1.4,0 2.3,0; 0,4 2.1,4",
    "u": "~ 0,4 0,1.6 .3,.3 1.5,-.1 2.8,.6 3.2,1.8; 3.2,4 3.2,0",
    "v": "0,4 1.6,0 3.2,4",
    "w": "0,4 1.2,0 2.5,4 3.8,0 5,4",
    "x": "0,4 3,0; 3,4 0,0",
    "y": "0,4 1.7,.1; 3.3,4 1.7,.1; ~ 1.7,.1 1.1,-1.4 .6,-1.9 -.1,-1.8",
    "z": "0,4 3,4 0,0 3,0",
    "A": "0,0 2.4,6 4.8,0; .8,2 4,2",
    "B": "0,0 0,6; ~ 0,6 2.2,6 3.6,5.7 3.8,4.5 3.5,3.3 2.2,3.1 0,3.1; ~ 0,3.1 2.4,3.1 4,2.8 4.3,1.5 3.9,.2 2.4,0 0,0",
    "C": _BIG_C,
    "D": "0,0 0,6; ~ 0,6 1.8,6 3.6,5.6 4.6,4.2 4.6,1.8 3.6,.4 1.8,0 0,0",
    "E": "3.6,6 0,6 0,0 3.6,0; 0,3.1 3,3.1",
    "F": "3.6,6 0,6 0,0; 0,3.1 3,3.1",
    "G": f"{_BIG_C}; 4.7,1.2 4.7,2.8 2.8,2.8",
    "H": "0,0 0,6; 4.2,0 4.2,6; 0,3.1 4.2,3.1",
    "I": ".2,0 .2,6",
    "J": "2.6,6 2.6,1.8; ~ 2.6,2 2.4,.5 1.3,-.1 .3,.2 0,1.2",
    "K": "0,0 0,6; 4,6 0,2.4; 1.4,3.6 4.2,0",
    "L": "0,6 0,0 3.4,0",
    "M": "0,0 0,6 2.6,1.6 5.2,6 5.2,0",
    "N": "0,0 0,6 4.2,0 4.2,6",
    "O": _BIG_O,
    "P": _BIG_P,
    "Q": f"{_BIG_O}; 3.2,1.4 5,-.6",
    "R": f"{_BIG_P}; 2.2,2.7 4.2,0",
    "S": "~ 4,4.9 3.4,5.8 2.1,6.1 .7,5.7 .2,4.6 .7,3.6 2.1,3.1 3.6,2.6 4.2,1.5 3.7,.4 2.1,-.1 .8,.2 0,1.2",
    "T": "0,6 4.6,6; 2.3,6 2.3,0",
    "U": "0,6 0,2; ~ 0,2.2 .4,.6 2.1,-.1 3.8,.6 4.2,2.2; 4.2,2 4.2,6",
    "V": "0,6 2.4,0 4.8,6",
    "W": "0,6 1.7,0 3.4,6 5.1,0 6.8,6",
    "X": "0,6 4.4,0; 4.4,6 0,0",
    "Y": "0,6 2.2,2.9 4.4,6; 2.2,2.9 2.2,0",
    "Z": "0,6 4.2,6 0,0 4.2,0",
    "0": "o 1.9,6.1 3.2,5.4 3.8,3.9 3.8,2.1 3.2,.6 1.9,-.1 .6,.6 0,2.1 0,3.9 .6,5.4",
    "1": ".2,4.8 1.6,6 1.6,0",
    "2": "~ .1,4.6 .5,5.7 1.8,6.1 3.2,5.6 3.5,4.4 2.9,3.2 0,0; 0,0 3.7,0",
    "3": "~ .2,5.2 .9,6 2,6.1 3.2,5.6 3.3,4.2 2.6,3.3 1.4,3.2; ~ 1.4,3.2 2.9,3 3.6,1.9 3.3,.5 1.9,-.1 .7,.1 0,1",
    "4": "2.8,0 2.8,6 0,1.8 3.8,1.8",
    "5": "3.3,6 .5,6 .2,3.2; ~ .2,3.2 1.2,3.8 2.4,3.7 3.5,2.9 3.5,1 2.6,0 1.4,-.1 0,.7",
    "6": "~ 3.2,5.5 2.2,6.1 1,5.6 .1,3.9 0,2; o 1.9,3.7 3.2,3.2 3.7,1.8 3.2,.4 1.9,-.1 .6,.4 0,1.8 .6,3.2",
    "7": "0,6 3.7,6 1.2,0",
    "8": "o 1.9,6.1 3.1,5.6 3.4,4.6 2.9,3.5 1.9,3.2 .9,3.5 .4,4.6 .7,5.6;"
    "o 1.9,3.2 3.2,2.8 3.8,1.6 3.2,.3 1.9,-.1 .6,.3 0,1.6 .6,2.8",
    "9": "o 1.8,6.1 3.1,5.6 3.7,4.2 3.1,2.8 1.8,2.3 .5,2.8 0,4.2 .5,5.6; ~ 3.7,4 3.6,2.1 2.7,.4 1.5,-.1 .5,.5",
    ".": ".1,.1 .1,.15",
    ",": ".3,.2 0,-.9",
    "-": "0,2.3 1.8,2.3",
    "_": "0,-.6 3.6,-.6",
    "'": ".1,6 .1,4.8",
    "+": "0,2.4 2.8,2.4; 1.4,3.8 1.4,1",
    "(": "~ 1.2,6.4 .3,4.8 0,2.6 .3,.4 1.2,-1.2",
    ")": "~ 0,6.4 .9,4.8 1.2,2.6 .9,.4 0,-1.2",
    "/": "0,-.6 2.2,6.4",
}
"""Strokes split by `;`: points in order. `~` rounds the corners off, `o` also closes the line."""

_PLAIN = {
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "æ": "ae",
    "Æ": "AE",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ı": "i",
    "&": "+",
}
"""Letters that do not fall apart into one of ours and an accent."""
_ROUNDS = 3
"""Corner cutting; after three rounds a curve is smooth at any size we draw."""


def drawable(text: str) -> str:
    """Returns the text in the letters there are here; what cannot be drawn is left out."""
    plain = "".join(_PLAIN.get(letter, letter) for letter in text)
    known = (letter for letter in unicodedata.normalize("NFKD", plain) if letter in _STROKES or letter.isspace())
    return " ".join("".join(known).split())


def lines(text: str) -> tuple[list[Points], float]:
    """Returns the lines of a drawable text, each of (n, 2) points, and the text's width."""
    found: list[Points] = []
    x = 0.0
    for letter in text:
        if letter == " ":
            x += SPACE
            continue
        strokes = [_line(stroke) for stroke in _STROKES[letter].split(";")]
        found += [np.add(stroke, (x, 0.0)) for stroke in strokes]
        x += max(float(stroke[:, 0].max()) for stroke in strokes) + SPACING
    return found, max(0.0, x - SPACING)


def _line(stroke: str) -> Points:
    words = stroke.split()
    kind = words[0] if words[0] in "~o" else ""
    points = np.array([[float(number) for number in word.split(",")] for word in words[bool(kind) :]])
    if kind == "o":
        points = np.vstack((points, points[:1]))
    return _rounded(points, closed=kind == "o") if kind else points


def _rounded(points: Points, *, closed: bool) -> Points:
    for _ in range(_ROUNDS):
        near = 0.75 * points[:-1] + 0.25 * points[1:]
        far = 0.25 * points[:-1] + 0.75 * points[1:]
        cut = np.stack((near, far), axis=1).reshape(-1, 2)
        points = np.vstack((cut, cut[:1])) if closed else np.vstack((points[:1], cut, points[-1:]))
    return points
