"""What happens in a meeting as objects for programs: the lines of `meetctl events`. Pure; prints nothing.

Keys are only ever added. `at` is RFC 3339 in UTC; `seat` is an agent's identity or a service's name, null where the
meeting itself is meant. What a child said has the wire's own name as its `kind`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from meetctl.status.people import PeopleEvent
from meetctl.supervisor.events import ChildMessage, SeatEvent
from meetctl.supervisor.feed import Dropped

SCHEMA_VERSION = 1

MeetingEvent = SeatEvent | PeopleEvent

_OWN = {"kind": "of", "seat": "about", "at": "said_at"}
"""What a field is called where its name is one of every event's own."""


def event_object(event: MeetingEvent, *, room: str, now: float, wall: datetime) -> dict[str, Any]:
    """Returns one event; `now` (monotonic seconds) and `wall` are the same moment."""
    at = wall - timedelta(seconds=now - event.at)
    if isinstance(event, ChildMessage):
        said = event.event.model_dump(mode="json")
        kind = str(said.pop("type"))
        return _object(room, at, event.seat, kind, said)
    names = [field.name for field in fields(event) if field.name not in ("seat", "at")]
    return _object(room, at, event.seat, event.event_kind, {name: _plain(getattr(event, name)) for name in names})


def meeting_object(kind: str, *, room: str, wall: datetime, **values: Any) -> dict[str, Any]:
    """Returns an event of the meeting itself."""
    return _object(room, wall, None, kind, values)


def dropped_object(dropped: Dropped, *, room: str, wall: datetime) -> dict[str, Any]:
    """Returns what stands in place of events that the reader was too slow for."""
    return meeting_object("dropped", room=room, wall=wall, count=dropped.count)


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """Returns the same plain value with every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: masked(item, mask) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item, mask) for item in value]
    return value


def _object(room: str, at: datetime, seat: str | None, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    own = {
        "schema_version": SCHEMA_VERSION,
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "room": room,
        "seat": seat,
        "kind": kind,
    }
    return own | {_OWN.get(name, name): value for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    return [str(item) for item in value] if isinstance(value, tuple) else value
