"""How many avatars and agents a machine can carry, from what one picture costs on it.

The figures are of meetings at rest, all processes together, on two machines whose pictures cost 2.3 and 10 ms: what
waking up, packets and sound cost hardly differs between them, and the rest goes along with the picture.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

SHARE = 0.8
"""Of all cores: talk costs a fifth more than rest, and models need some in between."""


@dataclass(frozen=True, slots=True)
class Price:
    """Percent of a core at rest: a part that is the same everywhere, and one for each millisecond of a picture."""

    fixed: float
    per_ms: float

    def on(self, picture_ms: float) -> float:
        """Returns percent of a core on the machine of which that is known."""
        return self.fixed + self.per_ms * picture_ms


MEETING = Price(3.0, 0.6)
"""Supervisor, chair and livekit-server, with nobody in the room."""
BRIDGED = Price(28.0, 3.3)
"""A local avatar whose picture comes over a Simli connection of its own: 36 and 61 %."""
DIRECT = Price(18.0, 1.5)
"""One that publishes into the room itself: 22 %, and 33 by reckoning."""
AUDIO = Price(2.8, 0.2)
"""An agent with a voice alone."""


def cores() -> int:
    """Returns how many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Machine:
    """What was measured of it."""

    cores: int
    picture_ms: float
    free: float = 1.0
    """Part of all cores that nobody else uses."""

    @property
    def percent(self) -> float:
        """Returns what a meeting may use of it at rest, percent of one core."""
        return 100 * SHARE * self.cores * self.free

    @property
    def left(self) -> float:
        """Returns what of that is left for agents."""
        return self.percent - MEETING.on(self.picture_ms)

    def room_for(self, price: Price) -> int:
        """Returns how many of these, and nobody else, a meeting can have."""
        return max(0, int(self.left / price.on(self.picture_ms)))

    def bridged_of(self, faces: int, audio_agents: int) -> int:
        """Returns how many of so many local faces can be bridged beside so many audio agents, the others direct."""
        left = self.left - audio_agents * AUDIO.on(self.picture_ms)
        bridged, direct = BRIDGED.on(self.picture_ms), DIRECT.on(self.picture_ms)
        fitting = (count for count in range(faces, 0, -1) if count * bridged + (faces - count) * direct <= left)
        return next(fitting, 0)
