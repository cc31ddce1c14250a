"""Tells the supervisor, once in a while, that a model fails, and when it works again. The agent goes on."""

from __future__ import annotations

import logging
import time

from livekit.agents.voice import events

from meetctl.protocol import Recovered, Warn

from ..process.wire import Report
from .faults import explain

LANGUAGE = "the language model fails"
SPEECH = "the speech model fails"
TURN = "could not answer"
QUIET_S = 30.0
"""Between two equal warnings: a model that is away fails at every turn."""
MOST = 64
"""Warnings that are remembered; some name a person."""

logger = logging.getLogger(__name__)


class SpeechFaults:
    """Turns errors of the session's models into warnings."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._warned: dict[str, float] = {}
        """By what fails; emptied of what works again."""

    def on_error(self, event: events.ErrorEvent) -> None:
        """Takes the session's `error` event."""
        fault = event.error
        if getattr(fault, "recoverable", False):
            return  # it tries again by itself
        kind = {"llm_error": LANGUAGE, "tts_error": SPEECH}
        error = getattr(fault, "error", fault)
        self.warn(kind.get(getattr(fault, "type", ""), "a model fails"), error)

    def warn(self, what: str, error: object, *, hint: str | None = None) -> None:
        """Reports it unless the same was reported a moment ago."""
        now = time.monotonic()
        if now - self._warned.get(what, -QUIET_S) < QUIET_S:
            return
        self._warned.pop(what, None)
        self._warned[what] = now
        if len(self._warned) > MOST:
            del self._warned[next(iter(self._warned))]
        found = explain(error)
        self._report(Warn(message=f"{what}: {found.detail}", hint=hint or found.hint, about=what))

    def works(self, *whats: str) -> None:
        """Reports that these work again, as far as they had been reported; without any, all that had been."""
        for what in whats or tuple(self._warned):
            if self._warned.pop(what, None) is not None:
                self._report(Recovered(about=what))
