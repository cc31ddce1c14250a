"""What a recogniser says of its own answer, where it does: whether anybody spoke, how sure it is, whether it loops.

Whisper and what is made of it give three measures a segment. Pure: a server's answer in, the words worth keeping out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LEAST_LOGPROB = -1.0
"""Whisper's own threshold: what is less likely than this is a guess."""
NO_SPEECH = 0.6
"""Probability from which on nobody spoke, unless it is sure of its words all the same."""
SURE_LOGPROB = -0.6
LOOPING = 4.0
"""Ratio of compression: people who say everything twice stay below three."""


def is_said(segment: Mapping[str, Any]) -> bool:
    """Returns whether the segment's measures allow that somebody said it; one without measures may be said."""
    logprob = _number(segment, "avg_logprob")
    if _is_above(_number(segment, "compression_ratio"), LOOPING):
        return False
    if logprob is not None and logprob < LEAST_LOGPROB:
        return False
    is_sure = logprob is not None and logprob > SURE_LOGPROB
    return is_sure or not _is_above(_number(segment, "no_speech_prob"), NO_SPEECH)


def without_guesses(answer: dict[str, Any]) -> dict[str, Any]:
    """Returns a verbose answer with the segments that were said, and their text; another one as it is."""
    segments = answer.get("segments")
    if not isinstance(segments, list) or not all(isinstance(each, dict) for each in segments):
        return answer
    said = [segment for segment in segments if is_said(segment)]
    if len(said) == len(segments) or not all(isinstance(each.get("text"), str) for each in said):
        return answer
    return {**answer, "segments": said, "text": "".join(each["text"] for each in said).strip()}


def _is_above(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def _number(segment: Mapping[str, Any], key: str) -> float | None:
    value = segment.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
