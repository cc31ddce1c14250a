"""Between the doctor and the program that asks models for it: one line each way and model."""

from __future__ import annotations

from typing import Literal

from meetctl.protocol.values import Endpoint, Model, Voice


class Examinee(Model):
    """A model to be asked one small thing."""

    part: Literal["llm", "tts", "stt"]
    endpoint: Endpoint
    """Its fallbacks are asked each for itself, not in its place."""
    voice: Voice = Voice()
    language: str | None = None


class Examination(Model):
    """Down: whom to ask, all at once."""

    examinees: tuple[Examinee, ...]


class Examined(Model):
    """Up: what came of one of them."""

    index: int
    """In the examination."""
    seconds: float
    """Until the first word, the first sound, or the words."""
    fault: str | None = None
    """Why it cannot be used, with its address; None = it answered."""
    hint: str | None = None
