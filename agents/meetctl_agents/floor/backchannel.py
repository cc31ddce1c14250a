"""Words that only say "I am listening": they neither take the floor nor want an answer. Pure text."""

from __future__ import annotations

import re

HUMS = frozenset(
    "mm mhm mmhm mmhmm mmm mhmm hm hmm hmmm uh um er erm ah aha oh ooh ugh huh uhhuh uhuh ha haha hum".split()
)
"""Sounds that a transcription spells out."""
NODS = frozenset(
    "yeah yep yup yes ok okay right sure wow cool nice great good exactly indeed true really interesting".split()
)
"""Said over somebody who talks, they mean: go on. Said in silence, they may be an answer."""
PHRASES = frozenset(
    "i see|got it|of course|makes sense|go on|all right|alright|uh huh|mm hm|thank you|thanks|thank you very much|"
    "thank you so much|thanks a lot|you|bye|bye bye|goodbye|good bye".split("|")
)
"""The last of them are also what recognisers write for noises."""
MOST_WORDS = 4

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def is_hum(text: str) -> bool:
    """Returns whether the text is no word at all: "Mm-hmm." """
    words = _words(text)
    return 0 < len(words) <= 2 * MOST_WORDS and all(word in HUMS for word in words)


def is_nod(text: str) -> bool:
    """Returns whether the text, said while somebody else talks, wants nothing but that they go on."""
    words = _words(text)
    if not 0 < len(words) <= MOST_WORDS or "?" in text:
        return False
    return " ".join(words) in PHRASES or all(word in HUMS | NODS for word in words)


def _words(text: str) -> list[str]:
    return [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
