"""Takes down what the chair reports: who said what, and how long each answer took. Believes nobody else, save an agent
that goes about its own last words."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping

from meetctl.meeting.transcript import Transcript
from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol import FloorDecided, LastWords, Line, ToolCall, TurnLatency, Utterance, UtteranceKind
from meetctl.supervisor.events import ChildMessage, SeatEvent

LAST_WORDS = 32
"""Last words remembered, so that what the chair only guesses of the same turn does not replace them."""


class TranscriptWriter:
    """Follows a meeting's events into its transcript.

    Args:
        warn: told once, when the transcript can no longer be written.
        calm: told the same words, when it can be again.
        name_of: returns what the agent of an identity is called.
    """

    def __init__(
        self,
        transcript: Transcript,
        warn: Callable[[str], object],
        calm: Callable[[str], object] = lambda why: None,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.latencies: dict[str, Mapping[str, float]] = {}
        """Of the last answered turn of each agent, milliseconds by stage."""
        self._transcript = transcript
        self._warn = warn
        self._calm = calm
        self._name_of = name_of
        self._warned: str | None = None
        """In what words it said that the transcript cannot be written; None = it can be."""
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)

    def observe(self, event: SeatEvent) -> None:
        """Takes one event down, if it is the chair's word."""
        match event:
            case ChildMessage(seat=seat, event=Utterance(line=line)) if seat == CHAIR_IDENTITY:
                if line.id not in self._last_words:
                    self._transcript.add(line)
            case ChildMessage(seat=seat, event=FloorDecided() as decided) if seat == CHAIR_IDENTITY:
                self._transcript.add_decision(decided)
            case ChildMessage(seat=seat, event=LastWords(line=line)) if seat == line.identity:
                self._last_words.append(line.id)
                self._transcript.add(line)
            case ChildMessage(seat=seat, event=ToolCall() as call) if not call.is_open:
                self._transcript.add(call.line(seat, self._name_of(seat)))
            case ChildMessage(seat=seat, event=TurnLatency() as turn) if seat == CHAIR_IDENTITY:
                self.latencies[turn.identity] = turn.stages_ms
                self._transcript.add_latency(turn.identity, turn.line_id, turn.stages_ms)
            case _:
                return
        if self._transcript.broken is not None and self._warned is None:
            self._warned = f"the transcript cannot be written: {self._transcript.broken}"
            self._warn(self._warned)
        elif self._transcript.broken is None and self._warned is not None:
            self._calm(self._warned)
            self._warned = None

    def note(self, fact: str) -> None:
        """Takes down a fact of the meeting's own."""
        line = Line(
            id=f"meetctl-{secrets.token_hex(4)}",
            at=time.time(),
            speaker="meetctl",
            identity="meetctl",
            kind=UtteranceKind.FACT,
            text=fact,
        )
        self._transcript.add(line)
