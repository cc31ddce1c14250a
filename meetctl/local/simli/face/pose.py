"""How a face is held at one moment. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mouth:
    """The shape of the mouth; each part from 0 to 1."""

    open: float = 0.0
    """How far the jaw is down: 1 is a shouted "ah"."""
    wide: float = 0.0
    """Corners apart, as in "ee"."""
    round: float = 0.0
    """Lips forward, as in "oo"."""
    teeth: float = 0.0
    """Teeth together and seen, as in "s"."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Everything that moves."""

    mouth: Mouth = Mouth()
    blink: float = 0.0
    """0 eyes open, 1 shut."""
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    """-1 to 1; positive is right and down, as seen."""
    turn: float = 0.0
    nod: float = 0.0
    """-1 to 1: where the head is turned; positive is right and down, as seen."""
    breath: float = 0.0
    """0 breathed out, 1 breathed in."""
    brows: float = 0.0
    """-1 frown, 1 raised."""


IDLE = Pose()
AH = Pose(mouth=Mouth(open=0.9, wide=0.1))
OO = Pose(mouth=Mouth(open=0.35, round=1.0))
EE = Pose(mouth=Mouth(open=0.25, wide=1.0, teeth=0.3))
SS = Pose(mouth=Mouth(open=0.1, wide=0.5, teeth=1.0))
BLINK = Pose(blink=1.0)
