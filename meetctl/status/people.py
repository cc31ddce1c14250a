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


@dataclass(frozen=True, slots=True)
class PersonWaits:
    """Somebody waits outside to be let in."""

    event_kind: ClassVar[str] = "person_waits"
    seat: ClassVar[None] = None
    request: str
    """What `meetctl admit` and `deny` call it."""
    name: str
    role: str
    """As what they come: `guest` or `observer`."""
    at: float


@dataclass(frozen=True, slots=True)
class WaitEnded:
    event_kind: ClassVar[str] = "wait_ended"
    seat: ClassVar[None] = None
    request: str
    name: str
    outcome: str
    """`let_in`, `refused`, `gone` (they wait no longer) or `unheard` (nobody answered in the time that there was)."""
    by: str
    """Which host decided; empty = none."""
    at: float


PeopleEvent = PersonJoined | PersonChanged | PersonLeft | LockChanged | PersonWaits | WaitEnded
