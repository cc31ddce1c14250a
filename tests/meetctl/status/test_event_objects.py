from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from meetctl.protocol import Failed, Line, MediaKind, MediaReceived, Ready, Utterance
from meetctl.protocol.secrets import Masker
from meetctl.status.event_objects import dropped_object, event_object, masked
from meetctl.supervisor.events import (
    BackingOff,
    ChildMessage,
    Exited,
    GaveUp,
    Proof,
    Proven,
    Sampled,
    SeatAdded,
    SeatEvent,
    SeatKind,
    SeatRemoved,
    Started,
    Stopping,
)
from meetctl.supervisor.feed import Dropped

WALL = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
LINE = Line(id="1", at=5.0, speaker="Bob", identity="bob", text="Hello")

EVENTS: list[tuple[SeatEvent, dict[str, Any]]] = [
    (
        SeatAdded(
            "ada", "Ada", SeatKind.AGENT, "simli", frozenset({Proof.READY, Proof.AUDIO}), 98.5, frozenset(MediaKind)
        ),
        {
            "kind": "seat_added",
            "name": "Ada",
            "of": "agent",
            "program": "simli",
            "proofs": ["audio", "ready"],
            "sends": ["audio", "video"],
        },
    ),
    (SeatRemoved("ada", 98.5), {"kind": "seat_removed"}),
    (Started("ada", 7, 98.5), {"kind": "started", "pid": 7}),
    (Proven("ada", Proof.ACTIVE, 98.5), {"kind": "proven", "proof": "active"}),
    (Exited("ada", -9, ("a", "b"), 98.5), {"kind": "exited", "returncode": -9, "last_lines": ["a", "b"]}),
    (BackingOff("ada", 0.5, 98.5), {"kind": "backing_off", "delay_s": 0.5}),
    (GaveUp("ada", "bad key", None, 98.5), {"kind": "gave_up", "message": "bad key", "hint": None}),
    (Stopping("ada", 98.5), {"kind": "stopping"}),
    (Sampled("ada", 3.0, 50.5, 98.5), {"kind": "sampled", "cpu_percent": 3.0, "memory_mb": 50.5}),
    (ChildMessage("ada", Ready(), 98.5), {"kind": "ready"}),
    (
        ChildMessage("ada", MediaReceived(identity="max", kind=MediaKind.AUDIO), 98.5),
        {"kind": "media_received", "identity": "max", "of": "audio"},
    ),
    (ChildMessage("ada", Utterance(line=LINE), 98.5), {"kind": "utterance", "line": LINE.model_dump(mode="json")}),
]


@pytest.mark.parametrize(("event", "own"), EVENTS, ids=[own["kind"] for _, own in EVENTS])
def test_every_event_is_one_flat_object_with_its_time_and_seat(event: SeatEvent, own: dict[str, Any]) -> None:
    found = event_object(event, room="standup", now=100.0, wall=WALL)
    common = {"schema_version": 1, "at": "2026-03-01T12:00:08.500Z", "room": "standup", "seat": "ada"}
    assert found == {**common, **own}
    assert json.loads(json.dumps(found)) == found


def test_what_was_dropped_is_counted_where_it_stood() -> None:
    found = dropped_object(Dropped(5), room="standup", wall=WALL)
    assert (found["kind"], found["seat"], found["count"], found["at"]) == (
        "dropped",
        None,
        5,
        "2026-03-01T12:00:10.000Z",
    )


def test_a_secret_is_masked_wherever_in_an_event_it_stands() -> None:
    mask = Masker(["sentinel-4711"])
    events: list[SeatEvent] = [
        ChildMessage("ada", Failed(code="x", message="key sentinel-4711", hint="not sentinel-4711"), 1.0),
        ChildMessage("ada", Utterance(line=LINE.model_copy(update={"text": "I say sentinel-4711"})), 1.0),
        Exited("ada", 1, ("first", "sentinel-4711"), 1.0),
    ]
    for event in events:
        found = event_object(event, room="standup", now=1.0, wall=WALL)
        assert "sentinel-4711" in json.dumps(found)
        assert "sentinel-4711" not in json.dumps(masked(found, mask))
