"""Stretches of speech that must each be reported once: how much was played, and whether it was cut. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.local.simli.sessions.playout import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """One segment is over."""

    seconds: float
    """How much of it was played."""
    interrupted: bool


@dataclass(slots=True)
class _Segment:
    start: int
    end: int | None = None


class Segments:
    """The segments still to be reported, in order. Positions are counts of samples of speech."""

    def __init__(self) -> None:
        self._open: dict[str, _Segment] = {}

    def begin(self, key: str, pushed: int) -> None:
        """Notes that the speech pushed from here on belongs to `key`."""
        self._open[key] = _Segment(pushed)

    def wants(self, key: str) -> bool:
        """Tells whether speech of that segment is still to be played: not after it was cut."""
        return key in self._open

    def complete(self, key: str, pushed: int) -> None:
        """Notes that nothing more comes for `key`."""
        if key in self._open:
            self._open[key].end = pushed

    def played(self, consumed: int) -> list[PlaybackFinished]:
        """Returns the segments that have been played to their end."""
        over = [key for key, segment in self._open.items() if segment.end is not None and segment.end <= consumed]
        return [_finished(segment, segment.end or 0, False) for segment in map(self._open.pop, over)]

    def cut(self, consumed: int) -> list[PlaybackFinished]:
        """Returns every segment there is, as interrupted at this point."""
        cut = [_finished(segment, consumed, True) for segment in self._open.values()]
        self._open.clear()
        return cut


def _finished(segment: _Segment, at: int, interrupted: bool) -> PlaybackFinished:
    return PlaybackFinished(round(max(0, at - segment.start) / SAMPLE_RATE, 3), interrupted)
