"""Words that were said and words that were understood, held against each other.

A dozen lines of Levenshtein: a library for them would be one more that tests depend on.
"""

from __future__ import annotations

import re

_WRITTEN = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
"""How recognisers write what is spoken otherwise."""


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """Returns how many words are wrong, missing or too many, and how many were said."""
    wanted, got = (words_of(text) for text in (said, heard))
    row = list(range(len(got) + 1))
    for index, word in enumerate(wanted, 1):
        previous, row[0] = row[0], index
        for column, other in enumerate(got, 1):
            previous, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, previous + (word != other))
    return row[-1], len(wanted)


def words_of(text: str) -> list[str]:
    """Returns the words, plainly written."""
    return [_WRITTEN.get(word, word) for word in re.findall(r"[a-z0-9']+", text.lower())]
