"""The proof that a meeting is over: what was ended, and what could not be. A value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ending:
    """What `down` prints."""

    room: str
    processes_ended: int
    processes_left: tuple[int, ...]
    """Pids that are still there; empty unless the kernel holds them."""
    own_room: bool | None
    """Whether this meeting created the room, and so may delete it; None where its supervisor could not say so."""
    room_deleted: bool
    avatar_sessions_closed: int
    avatars_killed: tuple[str, ...]
    """Avatars that did not leave by themselves."""
    seconds: float
    reason: str | None = None
    """Why it ended where nobody asked for it."""
    avatar_sessions_left: Mapping[str, float] = field(default_factory=dict)
    """Identity → Unix time at which the last session that a killed process of it left open ends by itself."""

    undone: bool = False
    """It was ended before it had begun: a room that it had made was deleted, though nobody could say so."""

    @property
    def complete(self) -> bool:
        """Returns whether nothing is left that should not be."""
        return not self.processes_left and (self.room_deleted or not self.own_room)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "complete": self.complete}
