"""The one clock of a session's media: seconds since its first packet, for audio and video alike."""

from __future__ import annotations

import asyncio

MAX_LATE_SECONDS = 0.5
"""A process that stood still for longer does not hurry to catch up: everything moves on by the time lost."""


class MediaClock:
    """Real time from the first call of `start`."""

    def __init__(self) -> None:
        self._origin: float | None = None

    def start(self) -> None:
        """Begins to count; later calls change nothing."""
        if self._origin is None:
            self._origin = asyncio.get_running_loop().time()

    @property
    def now(self) -> float:
        """Seconds since the start; 0 before it."""
        return 0.0 if self._origin is None else asyncio.get_running_loop().time() - self._origin

    async def wait_until(self, seconds: float) -> None:
        """Returns at that time of this clock, at once when it has passed."""
        self.start()
        late = self.now - seconds
        if late > MAX_LATE_SECONDS and self._origin is not None:
            self._origin += late
        elif late < 0:
            await asyncio.sleep(-late)
