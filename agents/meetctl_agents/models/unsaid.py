"""Why an agent that was asked says nothing: as the chair is told, and as people in the room are. Pure."""

from __future__ import annotations

from livekit.agents import APIError, APIStatusError

from meetctl.protocol import Unsaid

from .novelty import NothingNewError

AGAIN_S = 60.0
"""Until people are told the same of the same agent once more."""

DID_NOT_ANSWER = "{name} did not answer."
_WORDS = {
    Unsaid.NOTHING_NEW: "{name} has nothing to add to what was said.",
    Unsaid.LIMITED: "{name} cannot answer: its language model is at its limit. Try again in a while.",
    Unsaid.LOADING: "{name} cannot answer yet: its language model is still being loaded.",
    Unsaid.FAILED: "{name} cannot answer: its language model or its voice does not work.",
}


def unsaid_from(error: BaseException, *, is_loaded: bool) -> Unsaid:
    """Returns what made a turn fail.

    Args:
        is_loaded: whether the model is known to have answered ever.
    """
    if isinstance(error, NothingNewError):
        return Unsaid.NOTHING_NEW
    if _status_of(error) in (402, 429):
        return Unsaid.LIMITED
    return Unsaid.FAILED if is_loaded else Unsaid.LOADING


def told_in_room(unsaid: Unsaid | None, name: str) -> str:
    """Returns what people are told of it; what exactly is wrong is for whoever runs the meeting.

    Args:
        unsaid: None = nothing came of it, and nobody knows why.
    """
    return (DID_NOT_ANSWER if unsaid is None else _WORDS[unsaid]).format(name=name)


def _status_of(error: BaseException | None) -> int | None:
    while isinstance(error, APIError):
        if isinstance(error, APIStatusError):
            return error.status_code
        error = error.__cause__
    return None
