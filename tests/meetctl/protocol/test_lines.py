from __future__ import annotations

import pytest
from pydantic import SecretStr

from meetctl.protocol import (
    Assignment,
    BadLine,
    Endpoint,
    Face,
    Failed,
    IceState,
    LegStats,
    Model,
    Ready,
    Say,
    Stop,
    encode_line,
    parse_command,
    parse_event,
)

SENTINEL = SecretStr("sentinel-4711")
ASSIGNMENT = Assignment(
    identity="ada",
    name="Ada",
    room="standup",
    url="ws://127.0.0.1:7880",
    token=SENTINEL,
    llm=Endpoint(api_key=SENTINEL, model="m"),
    face=Face(url="https://simli.example", api_key=SENTINEL, face_id="f"),
)


@pytest.mark.parametrize("command", [ASSIGNMENT, Stop(), Say(identity="ada", text="Zoë\nsaid")])
def test_a_command_comes_out_as_it_went_in(command: Model) -> None:
    line = encode_line(command)
    assert line.count(b"\n") == 1
    assert parse_command(line) == command


@pytest.mark.parametrize(
    "event",
    [Ready(), LegStats(leg="room", ice=IceState.CONNECTED), Failed(code="x", message="y", permanent=True)],
)
def test_an_event_comes_out_as_it_went_in(event: Model) -> None:
    assert parse_event(encode_line(event)) == event


def test_the_wire_carries_secrets_and_nothing_else_shows_them() -> None:
    assert encode_line(ASSIGNMENT).count(b"sentinel-4711") == 3
    assert "sentinel" not in repr(ASSIGNMENT) + str(ASSIGNMENT)


@pytest.mark.parametrize("line", [b"hello\n", b"{}\n", b'{"type": "fly"}\n', b"[1]\n", b"\xff\xfe\n", b""])
def test_a_line_that_is_no_message_is_a_value(line: bytes) -> None:
    assert isinstance(parse_event(line), BadLine)
    assert isinstance(parse_command(line), BadLine)


def test_a_bad_command_is_not_repeated_for_it_may_hold_a_token() -> None:
    bad = parse_command(b'{"type": "assignment", "token": "sentinel-4711"}')
    assert isinstance(bad, BadLine)
    assert "sentinel" not in repr(bad)


def test_a_newer_writer_is_understood() -> None:
    assert parse_event(b'{"type": "ready", "since": 3}') == Ready()
