"""What programs rely on is what `docs/interfaces.md` says, and what was printed once is printed still."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from meetctl.errors import ERRORS_BY_CODE, ExitCode
from meetctl.protocol import BadLine
from meetctl.protocol import Event as WireEvent
from meetctl.roster.json_schema import roster_json_schema
from meetctl.status.document import (
    AgentStatus,
    ErrorStatus,
    LegStatus,
    MeetingStatus,
    PersonStatus,
    RequestStatus,
    SeatStatus,
    ServiceStatus,
    StatusDocument,
    ToolStatus,
    UsageStatus,
)
from meetctl.status.event_objects import dropped_object, event_object, meeting_object
from meetctl.status.people import PeopleEvent
from meetctl.supervisor.events import ChildMessage, SeatEvent
from meetctl.supervisor.feed import Dropped
from meetctl.supervisor.seat import ProcessState
from testing.examples import EVENTS, PEOPLE, WIRE
from tests.meetctl.status.test_build import document

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/interfaces.md").read_text(encoding="utf-8")
RECORDED = ROOT / "testing/recorded"
"""Printed by the commit that pinned them."""
WALL = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
THEN = [json.loads(line) for line in (RECORDED / "events.jsonl").read_text(encoding="utf-8").splitlines()]
OWN = {"schema_version", "at", "room", "seat", "kind"}
SEAT_KEYS = set(SeatStatus.model_fields)


def rows(section: str) -> list[list[str]]:
    """Returns the cells of the section's tables, headings left out."""
    text = re.split(r"^## ", PAGE.partition(f"## {section}\n")[2], flags=re.M)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [
        row for row, following in zip(cells, [*cells[1:], [""]], strict=True) if not {row[0], following[0]} & {"---"}
    ]


def keys(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def printed() -> list[dict[str, Any]]:
    objects = [event_object(event, room="standup", now=100.0, wall=WALL) for event in (*EVENTS, *PEOPLE)]
    own = (
        meeting_object("subscribed", room="standup", wall=WALL),
        dropped_object(Dropped(5), room="standup", wall=WALL),
        meeting_object("meeting_ended", room="standup", wall=WALL),
    )
    objects += own
    assert json.loads(json.dumps(objects)) == objects
    return objects


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(SeatEvent))
    assert {type(event) for event in PEOPLE} == set(get_args(PeopleEvent))
    assert {type(event) for event in WIRE} == {*get_args(WireEvent), BadLine}
    assert all(isinstance(event, ChildMessage) or event.event_kind for event in EVENTS)


def test_every_kind_of_event_and_its_keys_are_on_the_page() -> None:
    told = {keys(row[0])[0]: set(keys(row[1])) for row in rows("Events") if len(row) == 3}
    assert {event["kind"]: event.keys() - OWN for event in printed()} == told
    assert {keys(row[0])[0] for row in rows("Events") if len(row) == 2} == OWN


@pytest.mark.parametrize("then", THEN, ids=[event["kind"] for event in THEN])
def test_an_event_still_says_what_it_said_when_it_was_recorded(then: dict[str, Any]) -> None:
    [now] = [event for event in printed() if event["kind"] == then["kind"]]
    assert {key: now.get(key) for key in then} == then


def test_a_status_still_says_what_it_said_when_it_was_recorded() -> None:
    then = json.loads((RECORDED / "status.json").read_text(encoding="utf-8"))
    assert _common(json.loads(json.dumps({"schema_version": 1, "meetings": [document()]})), then) == then


def _common(now: Any, then: Any) -> Any:
    """Returns what of `now` there was then: keys may have been added."""
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        return {key: _common(now.get(key), value) for key, value in then.items()}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [_common(*pair) for pair in zip(now, then, strict=True)]
    return now


def test_the_status_s_keys_are_on_the_page() -> None:
    told = {row[0]: set(keys(row[1])) for row in rows("`status --json`")}
    assert set(StatusDocument.model_fields) == {"schema_version", "meetings"}
    assert told == {
        "a meeting": set(MeetingStatus.model_fields),
        "one of `requests`": set(RequestStatus.model_fields),
        "an error": set(ErrorStatus.model_fields),
        "a service or an agent": SEAT_KEYS,
        "a service too": set(ServiceStatus.model_fields) - SEAT_KEYS,
        "an agent too": set(AgentStatus.model_fields) - SEAT_KEYS,
        "one of `usage`": set(UsageStatus.model_fields),
        "an agent's `tools`": set(ToolStatus.model_fields),
        "a person": set(PersonStatus.model_fields),
        "a leg": set(LegStatus.model_fields),
    }
    assert all(f"`{state}`" in PAGE for state in ProcessState)


def test_exit_codes_and_error_codes_are_on_the_page() -> None:
    assert {int(row[0]) for row in rows("Exit codes")} == set(ExitCode)
    assert {keys(row[0])[0] for row in rows("Errors")} == set(ERRORS_BY_CODE)


def test_the_roster_s_keys_are_on_the_page() -> None:
    schema = roster_json_schema()
    written: dict[str, str | dict[str, Any]] = {
        "the file": schema,
        "`livekit`": "LiveKitWritten",
        "`reach`": "ReachWritten",
        "`meeting`": "MeetingWritten",
        "`floor`": "FloorWritten",
        "`defaults`": "DefaultsWritten",
        "an agent": "AgentWritten",
        "a model (`llm`, `tts`, `stt`)": "ModelWritten",
        "`voice`": "VoiceWritten",
        "`face`": "FaceWritten",
        "`limits`": "LimitsWritten",
        "`budget`": "BudgetWritten",
        "one of `tools`": "ToolWritten",
        "one of `examples`": "ExampleWritten",
    }
    told = {row[0]: set(keys(row[1])) for row in rows("The roster")}
    assert {of: _properties(schema, name) for of, name in written.items()} == told
    named = {name for name in written.values() if isinstance(name, str)}
    assert {name for name in schema["$defs"] if _properties(schema, name)} == named


def _properties(schema: dict[str, Any], name: str | dict[str, Any]) -> set[str]:
    node = schema["$defs"][name] if isinstance(name, str) else name
    nodes = [node, *node.get("anyOf", ())]
    return {key for one in nodes for key in one.get("properties", ())}
