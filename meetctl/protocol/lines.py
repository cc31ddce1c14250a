"""One message, one line of JSON: the way there and back. A line that is no message is a value too."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter, ValidationError

from meetctl.protocol.commands import AgentCommand, Command
from meetctl.protocol.events import AgentEvent, Event
from meetctl.protocol.values import Model

MAX_LINE_BYTES = 1_000_000
"""A longer line is a fault of the child, not a message; the longest real one is an Assignment with its transcript."""


class BadLine(Model):
    """A line that is no message. A value, never an exception: one stray print must not end an agent."""

    type: Literal["bad_line"] = "bad_line"
    why: str
    start: str
    """Its first characters."""


_COMMAND: TypeAdapter[Command] = TypeAdapter(AgentCommand)
_EVENT: TypeAdapter[Event] = TypeAdapter(AgentEvent)

_SHOWN_CHARACTERS = 80


def encode_line(message: Model) -> bytes:
    """Returns the message as one line of the wire, newline included; secrets in the clear."""
    return message.model_dump_json().encode() + b"\n"


def parse_command(line: bytes) -> Command | BadLine:
    """Returns the command of one line read from the supervisor."""
    try:
        return _COMMAND.validate_json(line)
    except ValidationError as error:
        return _bad_line(line, error, show=False)


def parse_event(line: bytes) -> Event | BadLine:
    """Returns the event of one line read from a child."""
    try:
        return _EVENT.validate_json(line)
    except ValidationError as error:
        return _bad_line(line, error, show=True)


def _bad_line(line: bytes, error: ValidationError, *, show: bool) -> BadLine:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    # A command may hold a token, so its text is never repeated.
    start = line[:_SHOWN_CHARACTERS].decode(errors="replace").strip() if show else ""
    return BadLine(why=f"{where}: {first['msg']}" if where else first["msg"], start=start)


def printable(text: str) -> str:
    """Returns the text on one line and without control characters: others' words reach people's terminals and files."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
