"""What people are called: on one line, of bearable length, and nobody else's name. Pure.

Who says it is known by identity; a name is what people read and models are told. So nobody is called as an agent is,
as the chair or the host is, or by a word that means something where names stand.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from itertools import count

MAX_NAME_CHARACTERS = 64
"""Longer names do not fit under a tile."""
RESERVED_NAMES = (
    *("Chair", "Host", "Moderator", "meetctl", "Note", "Fact", "Notice", "Here now"),
    *("System", "Developer", "Assistant", "User", "Tool"),
    *("Everybody", "Everyone", "All", "Nobody", "You"),
)
"""Who speaks in the meeting's own name, how chat templates call their roles, and whom "everybody" means."""

_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""A name with one of these can rewrite how the text after it reads, in captions and in the transcript."""
_LOOKALIKES = str.maketrans("аеорсухіјѕһԁԛԝвкмнт" + "αεορχυικνητβ" + "ı", "aeopcyxijshdqwbkmht" + "aeopxyiknhtb" + "i")
"""Cyrillic and Greek letters that read as Latin ones, after case folding."""


def clean_name(name: str) -> str | None:
    """Returns the name on one line without control characters, None when nothing or too much is left."""
    seen = "".join(" " if unicodedata.category(letter) in _UNSEEN else letter for letter in name)
    cleaned = " ".join("".join(letter for letter in seen if letter not in _BIDI_CONTROLS).split())
    return cleaned if 0 < len(cleaned) <= MAX_NAME_CHARACTERS else None


def free_name(wanted: str, taken: Iterable[str], reserved: Collection[str] = ()) -> str:
    """Returns the name, or where it reads like one of the others, one that does not: "Ada (guest)", "Sam (2)".

    Args:
        wanted: clean.
        taken: what other people are called.
        reserved: what the agents are called; `RESERVED_NAMES` are reserved in any case.
    """
    others = {reads_as(name) for name in (*taken, *reserved, *RESERVED_NAMES)}
    if reads_as(wanted) not in others:
        return wanted
    own = {reads_as(name) for name in (*reserved, *RESERVED_NAMES)}
    guest = reads_as(wanted) in own
    for number in count(1 if guest else 2):
        mark = f" ({number})" if not guest else " (guest)" if number == 1 else f" (guest {number})"
        marked = wanted[: MAX_NAME_CHARACTERS - len(mark)].rstrip() + mark
        if reads_as(marked) not in others:
            return marked
    raise AssertionError("unreachable: there are more numbers than people")


def is_reserved(name: str) -> bool:
    """Returns whether it reads as a word that means something where names stand."""
    return reads_as(name) in {reads_as(word) for word in RESERVED_NAMES}


def reads_as(name: str) -> str:
    """Returns what two names have in common that nobody could tell apart: "Ａda", "ADA.", "Аda" in Cyrillic, "Ada"."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold()).translate(_LOOKALIKES)
    letters = "".join(letter for letter in plain if letter.isalnum())
    return letters or name.strip()
