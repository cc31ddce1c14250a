"""What the filters of a model's text have in common: it comes in pieces, and what cannot be judged yet waits. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod


class TextFilter(ABC):
    """Feeds on a text as it comes and gives what passes."""

    def __init__(self) -> None:
        self._pending = ""
        """What came and was not judged yet."""

    def feed(self, text: str) -> str:
        """Returns what passes now."""
        self._pending += text
        return self._take(ended=False)

    def finish(self) -> str:
        """Returns the rest once the model has ended."""
        return self._take(ended=True)

    @abstractmethod
    def _take(self, *, ended: bool) -> str:
        """Takes from what is pending what can be judged, all of it where the text has ended."""
