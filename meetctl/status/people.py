"""People of a meeting, as status and events tell of them. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class PersonJoined:
    event_kind: ClassVar[str] = "person_joined"
    seat: ClassVar[None] = None
    identity: str
    name: str
    role: str | None
    """`guest`, `host` or `observer`; None where they came by a token of somebody else's."""
    at: float
    """Monotonic seconds, here and below."""


@dataclass(frozen=True, slots=True)
class PersonChanged:
    """What they send is another now."""

    event_kind: ClassVar[str] = "person_changed"
    seat: ClassVar[None] = None
    identity: str
    microphone: bool
    camera: bool
    screen: bool
    at: float


@dataclass(frozen=True, slots=True)
class PersonLeft:
    event_kind: ClassVar[str] = "person_left"
    seat: ClassVar[None] = None
    identity: str
    removed: bool
    """By a host."""
    at: float


@dataclass(frozen=True, slots=True)
class LockChanged:
    event_kind: ClassVar[str] = "lock_changed"
    seat: ClassVar[None] = None
    locked: bool
    at: float


PeopleEvent = PersonJoined | PersonChanged | PersonLeft | LockChanged
