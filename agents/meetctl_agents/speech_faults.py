"""Tells the supervisor, once in a while and in words, that a model fails. The agent goes on."""

from __future__ import annotations

import logging
import time

from livekit.agents import APIError
from livekit.agents.voice import events

from meetctl.protocol import Warn

from .wire import Report

QUIET_S = 30.0
"""Between two equal warnings: a model that is away fails at every turn."""

logger = logging.getLogger(__name__)


class SpeechFaults:
    """Turns errors of the session's models into warnings."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._warned: dict[str, float] = {}

    def on_error(self, event: events.ErrorEvent) -> None:
        """Takes the session's `error` event."""
        fault = event.error
        if getattr(fault, "recoverable", False):
            return  # it tries again by itself
        kind = {"llm_error": "the language model fails", "tts_error": "the speech model fails"}
        error = getattr(fault, "error", fault)
        self.warn(kind.get(getattr(fault, "type", ""), "a model fails"), error)

    def warn(self, what: str, error: object) -> None:
        """Reports it unless the same was reported a moment ago."""
        now = time.monotonic()
        if now - self._warned.get(what, -QUIET_S) < QUIET_S:
            return
        self._warned[what] = now
        detail = error.message if isinstance(error, APIError) else f"{type(error).__name__}: {error}"
        hint = "is the model server running, and are its URL and key right?"
        self._report(Warn(message=f"{what}: {detail}", hint=hint))
