"""Gives way where the cores are busy: fewer pictures first, then only the lips move. Sound is never touched. Pure.

What counts is what people would see: pictures that were due and could not be made in time. Back again there is room
only where cores stand idle too, and for longer each time that it did not last: a busy moment takes as much of that time
away as it lasts, a picture that came too late all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LEFT_OUT = 0.08
"""Of the pictures that were due: 23 of 25 a second are seen as fluent, fewer are not."""
STRAIN_S = 4.0
"""So long that has to last: a model that loads, or an answer that is begun, is over sooner."""
IDLE = 0.25
"""Of all cores, before more is drawn again: what two faces take between two steps, and as much again."""
ROOM_S = 15.0
LONGEST_ROOM_S = 240.0
LASTED_S = 60.0
"""A step back that held for so long was right."""
FEWER_FPS = 15


@dataclass(frozen=True, slots=True)
class Manner:
    """How faces are drawn."""

    fps: int
    only_lips: bool = False


@dataclass(slots=True)
class Pace:
    """How the faces of a server are drawn now, and what became of the pictures that were due since somebody looked."""

    manner: Manner
    due: int = 0
    left_out: int = 0

    def next(self, last: float | None, now: float) -> float:
        """Returns the media time of the next picture after one at `last` and counts what is left out between."""
        fps = self.manner.fps
        if last is None:
            return int(now * fps) / fps  # the clock may run already, and what is over is nobody's picture
        following = last + 1 / fps
        missed = max(0, int((now - following) * fps))
        self.due += 1 + missed
        self.left_out += missed
        return following + missed / fps

    def taken(self) -> float | None:
        """Returns which part was left out, None where nothing was due, and begins to count anew."""
        part = self.left_out / self.due if self.due else None
        self.due = self.left_out = 0
        return part


@dataclass(slots=True)
class GivingWay:
    """Decides from one look to the next.

    Args:
        fps: of the pictures where there is room.
    """

    fps: int
    level: int = 0
    _strained_at: float | None = None
    _looked_at: float | None = None
    _roomy_s: float = 0.0
    _rose_at: float | None = None
    _room_s: float = field(default=ROOM_S)

    @property
    def manner(self) -> Manner:
        """Returns how faces are to be drawn."""
        fewer = min(FEWER_FPS, self.fps)
        return (Manner(self.fps), Manner(fewer), Manner(fewer, only_lips=True))[self.level]

    def look(self, now: float, left_out: float | None, idle: float) -> bool:
        """Takes one look into account; returns whether faces are to be drawn otherwise from now on.

        Args:
            left_out: part of the pictures due since the last look; None = none was due.
            idle: part of all cores since the last look.
        """
        before = self.level
        passed = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        if left_out is None:
            self._begin_anew()
        elif left_out >= LEFT_OUT:
            self._roomy_s = 0.0
            self._strained_at = now if self._strained_at is None else self._strained_at
            if now - self._strained_at >= STRAIN_S and self.level < 2:
                self._give_way(now)
        else:
            self._strained_at = None
            self._roomy_s = self._roomy_s + passed if idle >= IDLE else max(0.0, self._roomy_s - passed)
            if self.level == 0:
                self._roomy_s = 0.0
            elif self._roomy_s >= self._room_s:
                self._come_back(now)
        return self.level != before

    def _begin_anew(self) -> None:
        """Nobody is drawn, so nothing is given way to: what comes next is a stretch of its own."""
        self.level, self._room_s, self._roomy_s = 0, ROOM_S, 0.0
        self._strained_at = self._rose_at = None

    def _give_way(self, now: float) -> None:
        relapsed = self._rose_at is not None and now - self._rose_at < LASTED_S
        self._room_s = min(2 * self._room_s, LONGEST_ROOM_S) if relapsed else ROOM_S
        self.level += 1
        self._strained_at = None

    def _come_back(self, now: float) -> None:
        self.level -= 1
        self._rose_at = now
        self._roomy_s = 0.0
