"""What a process did, and when: kept from its first line on, told where somebody asks for it, else forgotten.

A process has one record of it, as it has one log.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from meetctl.protocol.events import Step

KEPT = 200
"""Before it is known whether somebody asks; a start takes some thirty."""


class Steps:
    """Steps of one process."""

    def __init__(self) -> None:
        self._kept: list[Step] | None = []
        self._tell: Callable[[Step], None] | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Notes how long the block took, however it ended."""
        if self._kept is None and self._tell is None:
            yield
            return
        began = time.monotonic()
        try:
            yield
        finally:
            self.note(name, began)

    def note(self, name: str, began: float) -> None:
        """Notes a step that began at that monotonic moment and ends now."""
        if self._tell is not None:
            self._tell(Step(name=name, began=began, ended=time.monotonic()))
        elif self._kept is not None and len(self._kept) < KEPT:
            self._kept.append(Step(name=name, began=began, ended=time.monotonic()))

    def forget(self) -> None:
        """Begins anew, in a fork."""
        self._kept, self._tell = [], None

    def tell(self, tell: Callable[[Step], None] | None) -> None:
        """Hands on what was kept and everything from now on; None = nobody asks, and nothing more is kept."""
        kept, self._kept, self._tell = self._kept or [], None, tell
        if tell is not None:
            for one in kept:
                tell(one)


STEPS = Steps()
"""This process's own."""
