"""Where a segment of speech is, told from what was sent to Simli and what came back. Pure: no clock, no I/O.

Simli says neither what it plays nor when it is done, only SPEAK and SILENT; but its sound comes back in real time. The
first loud sound that comes back is the first loud sound that was sent; from there samples are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..media.pace import Samples, is_loud
from ..signaling.base import SAMPLE_RATE, FaceSignal

WINDOW = SAMPLE_RATE // 50
"""Samples looked at as one when searching for the first loud one: 20 ms, as Simli returns them."""
QUIET_END_S = 0.2
"""Simli said SILENT and nothing loud came for so long: it is over, whatever the count says (it may drop samples)."""
OVERRUN_S = 0.3
"""Loud for so much longer than was sent: the count is wrong, and the segment over."""
START_S = 3.0
"""Loud speech was sent and nothing came back for so long: this session's voice is broken."""

UNMUTE_AFTER_SILENT_S = 0.1
"""After SKIP and SILENT, what is still on its way has passed when it is quiet for so long, …"""
UNMUTE_AT_LATEST_S = 0.25
"""… or this long after SILENT, …"""
UNMUTE_WHEN_QUIET_S = 0.3
"""… or, without SILENT, when it is quiet for so long (pauses between words are shorter), …"""
UNMUTE_ANYHOW_S = 1.5
"""… or now: a server that ignores SKIP must not mute the agent for ever."""


@dataclass(slots=True)
class Playout:
    """One segment on its way through Simli. Times are seconds of returned sound, positions samples of 16 kHz."""

    sent: int = 0
    flushed: bool = False
    started: bool = False
    finished: bool = False
    broken: bool = False
    """Nothing came back; the segment has to be spoken another way."""
    position: int = 0
    """How much of it has been heard."""
    _first_loud: int | None = None
    _counting: bool = False
    _waited: float = 0.0
    _quiet: float = 0.0
    _over: float = 0.0
    _silent_said: bool = False

    def send(self, samples: Samples) -> None:
        """Counts speech that was sent."""
        if self._first_loud is None:
            loud = first_loud(samples)
            self._first_loud = None if loud is None else self.sent + loud
        self.sent += samples.size

    def said(self, said: FaceSignal) -> None:
        """Takes SPEAK and SILENT."""
        if said in (FaceSignal.SPEAK, FaceSignal.SILENT):
            self._silent_said = said is FaceSignal.SILENT

    def hear(self, seconds: float, loud: bool) -> None:
        """Takes one frame of returned sound."""
        self._quiet = 0.0 if loud else self._quiet + seconds
        if self._counting:
            self._advance(seconds)
        elif self._first_loud is None:
            self._pass_silence(seconds)
        elif loud:
            self._counting = self.started = True
            self.position = max(self.position, self._first_loud)
        else:
            self._waited += seconds
            self.broken = self._waited >= START_S

    def _pass_silence(self, seconds: float) -> None:
        """Nothing loud has been sent since the last sound: it is heard as time passes."""
        self.position = min(self.sent, self.position + round(seconds * SAMPLE_RATE))
        if self.position == self.sent:
            self.finished = self.flushed

    def _advance(self, seconds: float) -> None:
        self.position += round(seconds * SAMPLE_RATE)
        if self.position >= self.sent:
            self.position = self.sent
            self._over += seconds
            self.finished = self.flushed and (self._quiet > 0 or self._over >= OVERRUN_S)
            if not self.flushed:  # Simli has run dry: what is sent next is a beginning again
                self._counting, self._first_loud, self._waited, self._over = False, None, 0.0, 0.0
        elif self.flushed and self._silent_said and self._quiet >= QUIET_END_S:
            self.position, self.finished = self.sent, True


@dataclass(slots=True)
class DroppedSpeechMute:
    """Whether returned sound belongs to speech that was dropped and must not be heard."""

    on: bool = False
    _since: float = 0.0
    _quiet: float = 0.0
    _since_silent: float | None = None

    def begin(self) -> None:
        """Speech was dropped now."""
        self.on, self._since, self._quiet, self._since_silent = True, 0.0, 0.0, None

    def said(self, said: FaceSignal) -> None:
        if self.on and said is FaceSignal.SILENT and self._since_silent is None:
            self._since_silent = 0.0

    def hear(self, seconds: float, loud: bool) -> bool:
        """Takes one frame of returned sound; tells whether it must not be heard."""
        if not self.on:
            return False
        self._since += seconds
        self._quiet = 0.0 if loud else self._quiet + seconds
        over = self._quiet >= UNMUTE_WHEN_QUIET_S or self._since >= UNMUTE_ANYHOW_S
        if self._since_silent is not None:
            self._since_silent += seconds
            over = over or self._quiet >= UNMUTE_AFTER_SILENT_S or self._since_silent >= UNMUTE_AT_LATEST_S
        self.on = not over
        return True


def first_loud(samples: Samples) -> int | None:
    """Returns where the first loud window begins."""
    for start in range(0, samples.size, WINDOW):
        if is_loud(samples[start : start + WINDOW]):
            return start
    return None
