"""Who is meant by what a person says: `decide`. Pure: words, people and what was said before come in."""

from __future__ import annotations

from .rules import decide, dismisses
from .view import Decision, HeardLine, Party, View

__all__ = ["Decision", "HeardLine", "Party", "View", "decide", "dismisses"]
