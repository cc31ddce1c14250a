"""A session's pictures as a transport's frames. A face at rest is as it was more often than not: nothing is drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face.renderer import Placement
from meetctl.local.simli.sessions.session import SimliSession

Frame = TypeVar("Frame")


class Pictures(Generic[Frame]):
    """Draws by the threads that it is given; for one track, which is done with a frame before it asks for the next."""

    def __init__(self, painters: ThreadPoolExecutor, framed: Callable[[NDArray[np.uint8]], Frame]) -> None:
        """
        Args:
            framed: makes a frame of a picture, (size, size, 4) uint8 RGBA, in one of those threads.
        """
        self._painters = painters
        self._framed = framed
        self._last: tuple[Placement, Frame] | None = None

    async def at(self, session: SimliSession, seconds: float) -> Frame:
        """Returns the frame of that media time; the one before, where it is the same picture."""
        placed = session.placed(session.pose_at(seconds))
        if self._last is None or self._last[0] != placed:
            drawing = asyncio.get_running_loop().run_in_executor(self._painters, self._draw, session, placed)
            self._last = placed, await drawing
        return self._last[1]

    def _draw(self, session: SimliSession, placed: Placement) -> Frame:
        return self._framed(session.picture(placed))
