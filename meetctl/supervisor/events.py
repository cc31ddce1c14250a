"""What happens to the seats of a meeting, as facts with a time on them. Values only; `state.py` folds them.

A seat is a place that is to be filled: a service (`livekit-server`, `models`, `chair` …) or an agent. It is named by
its key: an agent's identity, or the service's name. Processes come and go; the seat stays.

`event_kind` is what `meetctl events` calls an event, whatever its class is called; the fields are its keys there. Both
are written down in `docs/interfaces.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from meetctl.protocol import BadLine, Event, MediaKind

WireEvent = Event | BadLine


class SeatKind(StrEnum):
    SERVICE = "service"
    AGENT = "agent"


class Proof(StrEnum):
    """What must be seen before a seat counts as ready; a seat may have further ones of its own (`Seat.proofs_in`)."""

    READY = "ready"
    """The child's own `Ready` (or `Serving`, or the health check of a service that speaks no wire)."""
    AUDIO = "audio"
    """The chair's `MediaReceived` for audio."""
    VIDEO = "video"
    """The chair's `MediaReceived` for video."""
    ACTIVE = "active"
    """The LiveKit server lists the participant as active."""


@dataclass(frozen=True, slots=True)
class SeatAdded:
    event_kind: ClassVar[str] = "seat_added"
    seat: str
    name: str
    kind: SeatKind
    program: str
    """`simli`, `audio`, `chair`, `command`, or the service's name."""
    proofs: frozenset[str]
    at: float
    """Monotonic seconds, here and below."""
    sends: frozenset[MediaKind] = frozenset()
    """What it sends into the room; where one of them stops, it is stalled."""


@dataclass(frozen=True, slots=True)
class SeatRemoved:
    event_kind: ClassVar[str] = "seat_removed"
    seat: str
    at: float


@dataclass(frozen=True, slots=True)
class Started:
    """A process was started in the seat."""

    event_kind: ClassVar[str] = "started"
    seat: str
    pid: int
    at: float


@dataclass(frozen=True, slots=True)
class ChildMessage:
    """The child wrote a line; `seat` is the seat of the child that wrote it, not of whom it speaks about."""

    seat: str
    event: WireEvent
    at: float
    proofs: frozenset[str] = frozenset()
    """What the message proves of its own seat, beside what every seat's messages do."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Something other than the child showed this."""

    event_kind: ClassVar[str] = "proven"
    seat: str
    proof: str
    at: float


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; `returncode` is negative for a signal, as in subprocess."""

    event_kind: ClassVar[str] = "exited"
    seat: str
    returncode: int
    last_lines: tuple[str, ...]
    """The end of its stderr."""
    at: float


@dataclass(frozen=True, slots=True)
class BackingOff:
    """It will be started again after this delay."""

    event_kind: ClassVar[str] = "backing_off"
    seat: str
    delay_s: float
    at: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """It will not be started again (state fatal)."""

    event_kind: ClassVar[str] = "gave_up"
    seat: str
    message: str
    hint: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """The stop ladder has begun."""

    event_kind: ClassVar[str] = "stopping"
    seat: str
    at: float


@dataclass(frozen=True, slots=True)
class Warned:
    """Somebody other than the child saw what people should know; nothing stops."""

    event_kind: ClassVar[str] = "warned"
    seat: str
    message: str
    """Empty = the last warning is over."""
    at: float
    lasts: bool = True
    """It is said once and holds until it is taken back."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the process uses: percent of one core over the last interval, and unique set size in MB."""

    event_kind: ClassVar[str] = "sampled"
    seat: str
    cpu_percent: float
    memory_mb: float
    at: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A service that sends no statistics was asked, and answered."""

    event_kind: ClassVar[str] = "answered"
    seat: str
    at: float


@dataclass(frozen=True, slots=True)
class Unhealthy:
    """Its process is to end for this; whether another follows is somebody else's decision."""

    event_kind: ClassVar[str] = "ailing"
    seat: str
    why: str
    hint: str | None
    at: float


ProcessEvent = (
    Started | ChildMessage | Proven | Answered | Unhealthy | Exited | BackingOff | GaveUp | Stopping | Warned | Sampled
)
"""Of what is in a seat."""
SeatEvent = SeatAdded | SeatRemoved | ProcessEvent
