"""How far sound and picture are apart when they go into the room, from when each left the face's server. Pure.

Both are measured against the server's own reports, so its clock need not be ours: only the difference counts. What the
room's other side adds is not seen here; receivers even it out themselves, for both tracks carry one stream's name.
"""

from __future__ import annotations

import statistics
from collections import deque

KEPT = 75
"""Arrivals of each kind that count: three seconds of pictures, one and a half of sound."""
ENOUGH = 10
"""Fewer say nothing."""


class OffsetMeter:
    """Sound minus picture, as a difference of medians: a single late packet is no offset."""

    def __init__(self) -> None:
        self._lags: dict[str, deque[float]] = {"audio": deque(maxlen=KEPT), "video": deque(maxlen=KEPT)}

    def arrived(self, kind: str, left_at: float | None, at: float) -> None:
        """Takes one arrival; times in seconds, the first on the sender's clock, None where it is not known yet."""
        if left_at is not None:
            self._lags[kind].append(at - left_at)

    @property
    def ms(self) -> float | None:
        """Positive = sound late; None while there is too little to say."""
        if any(len(lags) < ENOUGH for lags in self._lags.values()):
            return None
        return (statistics.median(self._lags["audio"]) - statistics.median(self._lags["video"])) * 1000
