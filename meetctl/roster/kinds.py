"""The kinds of text that a roster holds, each with its validator: names, durations, addresses. Reads no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from meetctl.protocol import EVERY_TOOL
from meetctl.protocol.dispatch import LABEL
from meetctl.protocol.languages import AUTO, NAMES, language_code
from meetctl.roster.faults import nearest
from meetctl.roster.naming import is_room_name

MAX_PERSONA_CHARACTERS = 50_000
"""It travels in one line of the wire, which bounds it, and in every prompt."""
MAX_NAME_CHARACTERS = 64
MAX_ROLE_CHARACTERS = 64
MAX_ALSO_CALLED = 8
MAX_EXAMPLES = 4
MAX_EXAMPLE_CHARACTERS = 300
"""They stand in every prompt: a small model needs 6 ms to read a token."""
MAX_DURATION_S = 24 * 3600
MAX_MEMORY_MB = 1_000_000
MAX_AGENT_TURNS = 1000
MAX_TOOLS = 32
MAX_TOOL_STEPS = 20
MAX_TOOL_S = 50
"""A turn lasts a minute at most."""
MAX_FILLER_CHARACTERS = 100

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PLACEMENT = re.compile(rf"local|workers(/{LABEL})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG])(i?)B?", re.IGNORECASE)
_TAILS = ("/chat/completions", "/completions", "/audio/speech", "/audio/transcriptions", "/models")
"""What clients of OpenAI's API add to an address."""


def refused(message: str, hint: str, *, kind: str = "refused") -> PydanticCustomError:
    """Returns the error a validator raises; message and hint arrive as they are."""
    # The template is fixed because pydantic would take the braces of a message for its own.
    return PydanticCustomError(kind, "{message}", {"message": message, "hint": hint})


@dataclass(frozen=True, slots=True, eq=False)
class AlsoWritten:
    """Tells the JSON Schema of another form that a value may have in the file; a validator before it unfolds that."""

    form: Mapping[str, Any]
    first: bool = False
    """Whether it stands before the value's own type."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        own = handler(schema)
        return {"anyOf": [dict(self.form), own] if self.first else [own, dict(self.form)]}


def not_yet(what: str, hint: str) -> PydanticCustomError:
    """Returns the error for what is known, but comes with a later version."""
    return refused(f"{what} is not yet in this version of meetctl", hint)


def _room_name(text: str) -> str:
    if not is_room_name(text):
        raise refused("a room's name is 1 to 64 of A-Z a-z 0-9 . _ -", "write room: friday-launch")
    return text


def _agent_name(text: str) -> str:
    text = text.strip()
    if not text:
        raise refused("a name cannot be empty", "write name: Ada")
    if len(text) > MAX_NAME_CHARACTERS or not text.isprintable():
        raise refused(f"a name is one line of at most {MAX_NAME_CHARACTERS} characters", "write a shorter name")
    return text


def _role(text: str) -> str:
    text = text.strip()
    if not 1 <= len(text) <= MAX_ROLE_CHARACTERS or not text.isprintable():
        raise refused(f"a role is one line of at most {MAX_ROLE_CHARACTERS} characters", "write role: backend engineer")
    return text


def _identity(text: str) -> str:
    if not _IDENTITY.fullmatch(text):
        raise refused("an identity is 1 to 64 of A-Z a-z 0-9 . _ -", "write identity: ada")
    return text


def is_placement(text: str) -> bool:
    """Returns whether this says where an agent runs."""
    return _PLACEMENT.fullmatch(text) is not None


def _placement(text: str) -> str:
    if not is_placement(text):
        raise refused(f"{text!r} is no place for an agent", "write on: local, on: workers or on: workers/LABEL")
    return text


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None or not any(match.groups()):
        raise refused("not a duration", "write 90s, 5m or 1h30m")
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _megabytes(value: object) -> object:
    match = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refused("not an amount of memory", "write 500MB or 1.5GB")
    number, letter, binary = match.groups()
    step = 1024 if binary else 1000
    megabytes = float(number) * step ** ("KMG".index(letter.upper()) + 1) / 1e6
    if not 1 <= megabytes <= MAX_MEMORY_MB:
        raise refused(f"must be from 1MB to {MAX_MEMORY_MB // 1000}GB", "write 500MB or 1.5GB")
    return megabytes


def _address(schemes: tuple[str, ...]) -> Callable[[str], str]:
    example = f"{schemes[0]}://host:port"

    def check(text: str) -> str:
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or any(character.isspace() for character in text):
            raise refused(f"must be an address like {example}", f"begin with {' or '.join(s + '://' for s in schemes)}")
        return text.rstrip("/")

    return check


_http_address = _address(("https", "http"))


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    for tail in _TAILS:
        if parts.path.endswith(tail):
            raise refused(f"ends in {tail}, which is added to it", f"write base_url: {text.removesuffix(tail)}")
    return text


def _language(text: str) -> str:
    code = language_code(text)
    if code is None:
        like = nearest(text, [*NAMES.values(), *NAMES, AUTO])
        hint = (
            f"did you mean {language_code(like)}?" if like else "write a code of ISO 639-1 as en, de or pt-BR, or auto"
        )
        raise refused(f"no language is called {text!r}", hint)
    return code


def _persona(text: str) -> str:
    if len(text) > MAX_PERSONA_CHARACTERS:
        raise refused(f"a persona has at most {MAX_PERSONA_CHARACTERS} characters, this has {len(text)}", "shorten it")
    return text.strip()


def _example(text: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= MAX_EXAMPLE_CHARACTERS:
        raise refused(
            f"must be a text of 1 to {MAX_EXAMPLE_CHARACTERS} characters, this has {len(text)}",
            "write {asked: What do you build?, answer: Backends. The simplest that work.}",
        )
    return text


def _filler(text: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= MAX_FILLER_CHARACTERS:
        raise refused(f"must be none, or a text of 1 to {MAX_FILLER_CHARACTERS} characters", "write filler: none")
    return text


def _server(value: object) -> object:
    if isinstance(value, str) and not value.startswith(("http://", "https://")):
        words = ", ".join(value.split())
        raise refused("must be an address or a list, one word an item", f"write mcp: [{words}]")
    if isinstance(value, list) and (not value or value[0] == ""):
        raise refused("names no program", "write mcp: [uvx, mcp-server-time]")
    return _http_address(value) if isinstance(value, str) else value


def _approve(value: object) -> object:
    if isinstance(value, str) and value != "all":
        raise refused("must be all or a list of tools", f"write approve: [{value}]")
    return [EVERY_TOOL] if value == "all" else value


def _command(value: object) -> object:
    if isinstance(value, str):
        words = ", ".join(value.split())
        raise refused("must be a list, one word an item (no shell reads it)", f"write command: [{words}]")
    if isinstance(value, list) and (not value or value[0] == ""):
        raise refused("names no program", 'write command: [python, main.py, --room, "{room}"]')
    return value


def _variables(value: object) -> object:
    for name in value if isinstance(value, Mapping) else ():
        if not _VARIABLE.fullmatch(name):
            raise refused(f"{name!r} cannot name a variable", "use letters, digits and _")
    return value


HttpAddress = Annotated[str, AfterValidator(_http_address)]
LiveKitAddress = Annotated[str, AfterValidator(_address(("wss", "ws", "https", "http")))]
Seconds = Annotated[
    int,
    BeforeValidator(_seconds),
    AlsoWritten({"type": "string", "pattern": r"^(\d+h)?(\d+m)?(\d+s?)?$", "examples": ["90s", "5m", "1h30m"]}),
    Field(ge=1, le=MAX_DURATION_S),
]
Megabytes = Annotated[
    float,
    BeforeValidator(_megabytes),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*[KMGkmg]i?[Bb]?$", "examples": ["500MB", "1.5GB"]}),
]
RoomName = Annotated[str, AfterValidator(_room_name)]
AgentName = Annotated[str, AfterValidator(_agent_name)]
Role = Annotated[str, AfterValidator(_role)]
Identity = Annotated[str, AfterValidator(_identity)]
Placement = Annotated[str, AfterValidator(_placement)]
BaseUrl = Annotated[HttpAddress, AfterValidator(_base_url)]
Language = Annotated[str, AfterValidator(_language)]
Persona = Annotated[str, AfterValidator(_persona)]
ExampleText = Annotated[str, AfterValidator(_example)]
Command = Annotated[list[str], BeforeValidator(_command)]
Variables = Annotated[dict[str, str], BeforeValidator(_variables)]
Filler = Annotated[str, AfterValidator(_filler)]
Server = Annotated[str | list[str], BeforeValidator(_server)]
"""Of tools: where they are served, or what to run."""
Approve = Annotated[list[str], BeforeValidator(_approve), AlsoWritten({"const": "all"})]
