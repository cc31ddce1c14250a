"""Whether somebody asked something that yes or no is no answer to. Pure; knows English, and takes others for open."""

from __future__ import annotations

import re

from .repeats import sentences

_YES_OR_NO = re.compile(
    r"(?:is|are|am|was|were|do|does|did|can|could|should|would|will|shall|has|have|had|may|might|must|"
    r"isn't|aren't|wasn't|weren't|don't|doesn't|didn't|can't|couldn't|shouldn't|wouldn't|won't|haven't|hasn't)\b",
    re.IGNORECASE,
)
_CALL = re.compile(r"\A[\s\W]*(?:(?:and|so|but|well|okay|ok|now|\w+(?: and \w+)?,)\s+)*", re.IGNORECASE)
_WISH = re.compile(r"\b(?:tell|explain|describe|sum|summarise|summarize|introduce)\b", re.IGNORECASE)
_MARKS = ("?", "？")


def is_open_question(text: str) -> bool:
    """Returns whether the last thing that is asked in the text wants more than yes, no or nothing."""
    asked = [sentence.strip() for sentence in sentences(text) if sentence.strip().endswith(_MARKS)]
    if not asked:
        return bool(_WISH.search(text))
    return not _YES_OR_NO.match(_CALL.sub("", asked[-1]))
