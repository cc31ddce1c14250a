"""What is counted because it costs somebody something: one record for all of it, wherever it is used."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from meetctl.protocol.values import Model


class UsageKind(StrEnum):
    """What is counted, and in which unit. The names are also those of a roster's `budget`."""

    LLM_TOKENS = "llm_tokens"
    """Read and written."""
    TTS_CHARACTERS = "tts_characters"
    STT_SECONDS = "stt_seconds"
    """Of sound that was transcribed."""
    AVATAR_SECONDS = "avatar_seconds"
    """For which a session with the face's server was open."""


class Purpose(StrEnum):
    """What our own programs use something for; others may have words of their own."""

    ANSWERS = "answers"
    SPEECH = "speech"
    HEARING = "hearing"
    FACE = "face"
    JUDGE = "judge"
    """Asked whom a line is meant for."""
    MODERATOR = "moderator"
    """Asked who speaks next."""


class Usage(Model):
    """How much of one thing was used for one purpose, all in all."""

    kind: UsageKind
    amount: float
    purpose: str | None = None
    """A `Purpose`, or a word of somebody's own; None = not told, as the two below."""
    provider: str | None = None
    """As in the roster's `provider/model`, or what the provider calls itself."""
    model: str | None = None


def summed(used: Iterable[Usage]) -> tuple[Usage, ...]:
    """Returns one record of each kind, purpose, provider and model, in the order in which they first occur."""
    sums: dict[Usage, float] = {}
    for one in used:
        what = one.model_copy(update={"amount": 0.0})
        sums[what] = sums.get(what, 0.0) + one.amount
    return tuple(what.model_copy(update={"amount": amount}) for what, amount in sums.items())


def amount_of(used: Iterable[Usage], kind: UsageKind) -> float:
    """Returns how much there is of a kind, whatever it was used for."""
    return sum(one.amount for one in used if one.kind is kind)
