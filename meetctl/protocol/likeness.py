"""How alike two names sound, as far as their spelling tells. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

SHORTEST = 3
"""Letters; shorter names are near too many words."""
LONG = 5
"""Letters from which one consonant may differ."""
MOST_EDITS = 2
"""Letters that may differ once both are spelt plainly and their consonants agree."""
NEAR = 0.62
"""Share of what is heard that two names have in common whose consonants agree."""
ALIKE = 0.74
"""Share of letters that two longer names have in common where their consonants do not quite agree."""

ANOTHER_NAME = "give one of them another name, or one more by also_called: […]"
"""What to do about two of a cast that sound alike."""

_PLAIN = (
    *(("tch", "k"), ("sch", "s"), ("ch", "k"), ("sh", "s"), ("ck", "k"), ("ph", "f"), ("gh", ""), ("th", "t")),
    *(("x", "ks"), ("q", "k"), ("z", "s"), ("ce", "se"), ("ci", "si"), ("cy", "si"), ("dge", "k"), ("wh", "w")),
    *(("aw", "a"), ("ow", "o"), ("ew", "u")),
)
_SOUNDS = str.maketrans("cgjdbvwm", "kkktpffn")


@dataclass(frozen=True, slots=True)
class Sound:
    """A name, or what may be one, as it sounds."""

    text: str
    letters: str
    """In Latin letters, as they stand."""
    plain: str
    consonants: str
    is_cjk: bool


@lru_cache(maxsize=4096)
def sound_of(text: str) -> Sound:
    """Returns how the text sounds; what is not in Latin letters is read as Chinese and Japanese are romanised."""
    is_cjk = bool(re.search("[\u3041-\u9fff]", text))
    if not text.isascii():
        text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    letters = text
    if not text.isascii():
        from anyascii import anyascii  # 0.02 s, and most names need it never

        letters = anyascii(text)
    letters = re.sub(r"[^a-z]", "", letters.casefold())
    plain = letters
    for written, sound in _PLAIN:
        plain = plain.replace(written, sound)
    plain = re.sub(r"(.)\1+", r"\1", plain.translate(_SOUNDS))
    if not is_cjk:
        plain = re.sub(r"^[aeiouyh]+", "a", plain)
    start = "a" if plain[:1] in "aeiouyh" else plain[:1]
    rest = re.sub(r"[aeiouyhr]", "", plain[1:])
    return Sound(text, letters, plain, re.sub(r"(.)\1+", r"\1", start + rest), is_cjk)


def alike(one: Sound, other: Sound) -> float:
    """Returns from 0, not to be taken for each other, to 1, the same to the ear."""
    if min(len(one.letters), len(other.letters)) < SHORTEST:
        return 0.0
    if one.letters == other.letters:
        return 1.0
    from rapidfuzz.distance import Levenshtein

    if one.is_cjk and other.is_cjk and Levenshtein.normalized_similarity(one.letters, other.letters) < ALIKE:
        return 0.0  # syllables are few, so that half a likeness is none
    most = MOST_EDITS + (one.is_cjk != other.is_cjk)
    near = float(Levenshtein.normalized_similarity(one.plain, other.plain)) >= NEAR
    if one.consonants == other.consonants and near and Levenshtein.distance(one.plain, other.plain) <= most:
        return 0.8 + 0.2 * float(Levenshtein.normalized_similarity(one.letters, other.letters))
    if min(len(one.letters), len(other.letters)) < LONG or one.plain[:1] != other.plain[:1]:
        return 0.0
    if Levenshtein.distance(one.consonants, other.consonants) > 1:
        return 0.0
    likeness = float(Levenshtein.normalized_similarity(one.letters, other.letters))
    return 0.9 * likeness if likeness >= ALIKE else 0.0


def names_alike(one: str, other: str) -> bool:
    """Returns whether two names are taken for each other by ear."""
    first, second = sound_of(one.casefold()), sound_of(other.casefold())
    if first.letters and first.letters == second.letters:
        return True
    return alike(first, second) > 0


def mistaken_for(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Returns the pairs of names that cannot be told apart by ear."""
    return tuple((one, other) for one, other in combinations(names, 2) if names_alike(one, other))


def sounds_like(name: str, others: Iterable[str]) -> str | None:
    """Returns whose name a name is taken for by ear, the same one included; None where it is nobody's."""
    return next((other for other in others if names_alike(name, other)), None)


def told_apart(one: str, other: str) -> str:
    """Returns what to say of two names that sound alike."""
    return f"{one!r} and {other!r} sound alike: who is called by name is found out by ear"
