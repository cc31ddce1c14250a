"""A face that fails is tried again, ever more slowly, and there is none while nobody is here. The agent goes on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from meetctl.protocol import Degraded, Face, Warn

from ...process.wire import Report
from ..signaling.refusal import FaceRefused
from .presence import HumanPresence

BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between attempts; the last goes on for ever: a session costs nothing until it starts."""
HEALTHY_S = 30.0
"""A session that lived for so long was not part of a row of failures."""
NOBODY = "nobody is here: the avatar session is closed until somebody comes"

logger = logging.getLogger(__name__)


class FaceAttempts:
    """Has one agent's face be there, however it gets there, and tells where it is not.

    Args:
        presence: attached while `run` runs.
        degraded: called each time that the agent does without its face.
    """

    def __init__(
        self, face: Face, presence: HumanPresence, report: Report, degraded: Callable[[], object] = lambda: None
    ) -> None:
        self._face = face
        self._presence = presence
        self._report = report
        self._on_degraded = degraded
        self._is_degraded = False

    @property
    def nobody_is_here(self) -> bool:
        """Whether there has been nobody to see the face for as long as the roster bears."""
        limit = self._face.idle_close_s
        return limit is not None and self._presence.alone_s >= limit

    async def run(self, attempt: Callable[[], Awaitable[FaceRefused | None]]) -> None:
        """Makes attempts one after the other; returns only where trying again cannot help.

        Args:
            attempt: has the face there for as long as it can be; returns why it is not any more, None = nobody is here.
        """
        failures = 0
        while True:
            if self.nobody_is_here:
                self._degrade(NOBODY)
                await self._presence.wait_somebody()
            began = time.monotonic()
            end = await attempt()
            if end is None:
                failures = 0
                continue
            failures = 0 if time.monotonic() - began >= HEALTHY_S else failures + 1
            self._degrade(f"no face: {end.message}")
            if end.permanent:
                self._report(Warn(message=end.message, hint=end.hint))
                return
            await asyncio.sleep(backoff(failures))

    def succeeded(self) -> None:
        """The face is there: takes back that it was not."""
        if self._is_degraded:
            self._is_degraded = False
            self._report(Degraded(reason=None))

    def _degrade(self, reason: str) -> None:
        logger.warning("%s", reason)
        self._is_degraded = True
        self._on_degraded()
        self._report(Degraded(reason=reason))


def backoff(failures: int) -> float:
    """Returns the seconds to wait after so many failures in a row."""
    return BACKOFF_S[min(max(failures, 1), len(BACKOFF_S)) - 1]
