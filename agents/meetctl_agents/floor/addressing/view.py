"""What everybody in the room could know, and what is decided by it. Values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody in the room."""

    identity: str
    name: str
    is_agent: bool
    role: str = ""
    persona: str = ""
    also_called: tuple[str, ...] = ()


class Parties(tuple[Party, ...]):
    """Those in the room, as a key: hashed once, not for every line."""

    _hash: int | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = super().__hash__()
        return self._hash

    __eq__ = tuple.__eq__


@dataclass(frozen=True, slots=True)
class HeardLine:
    """A line that was said before."""

    identity: str
    by_agent: bool
    text: str
    at: float
    """Seconds, when it ended."""
    decision: Decision | None = None
    """Of a person's line; None = not known."""


@dataclass(frozen=True, slots=True)
class View:
    """The room at the moment when something is said."""

    parties: tuple[Party, ...]
    """In the order of the roster; people after the agents."""
    heard: tuple[HeardLine, ...]
    """Oldest first."""
    speaker: str
    at: float
    """Seconds, when the words began."""
    language: str | None = None
    """A code; None or `auto` = by line."""
    cut_off: str | None = None
    """The agent whose turn the words ended."""


@dataclass(frozen=True, slots=True)
class Decision:
    """For whom a line is meant."""

    rule: str
    agents: tuple[str, ...] = ()
    """Identities in their order."""
    people: tuple[str, ...] = ()
    """Identities of the people it is meant for."""
    candidates: tuple[str, ...] = ()
    """Whom the words named, or who came into question."""
    excluded: tuple[str, ...] = ()
    """Agents that are not to answer."""
    to_anybody: bool = False
    """One agent by turn answers."""
    to_the_room: bool = False
    """People are asked too: it waits for them."""
    is_aside: bool = False
    """Said into an agent's turn, without asking anything."""
    unsure: bool = False
    """No words say for whom it is: it is what is left."""
    passive: bool = False
    """It asks nothing of anybody: whoever was talking goes on."""
