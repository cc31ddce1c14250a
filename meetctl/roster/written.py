"""The roster as people write it: every key, its type, and what is not in this version yet. No files, no environment.

Shorthands (`llm: local`, `voice: nova`) are unfolded on the way in. What a value means together with the others is
`resolve.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    SecretStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from meetctl.protocol import FloorMode, RestartPolicy, Speaks
from meetctl.protocol.languages import AUTO, NAMES, language_code
from meetctl.roster.faults import nearest
from meetctl.roster.naming import is_room_name
from meetctl.roster.schema import TranscriptMode

MAX_PERSONA_CHARACTERS = 50_000
"""It travels in one line of the wire, which bounds it, and in every prompt."""
MAX_NAME_CHARACTERS = 64
MAX_EXAMPLES = 4
MAX_EXAMPLE_CHARACTERS = 300
"""They stand in every prompt: a small model needs 6 ms to read a token."""
MAX_DURATION_S = 24 * 3600
MAX_MEMORY_MB = 1_000_000
MAX_AGENT_TURNS = 1000

_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG])(i?)B?", re.IGNORECASE)
_TAILS = ("/chat/completions", "/completions", "/audio/speech", "/audio/transcriptions", "/models")
"""What clients of OpenAI's API add to an address."""
_PICTURE = re.compile(r"[/\\]|\.(?:png|jpe?g|webp|gif|bmp|svg)$", re.IGNORECASE)


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


# --- kinds of text -------------------------------------------------------------------------------------------------


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


def _identity(text: str) -> str:
    if not _IDENTITY.fullmatch(text):
        raise refused("an identity is 1 to 64 of A-Z a-z 0-9 . _ -", "write identity: ada")
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


def _address(schemes: tuple[str, ...]) -> AfterValidator:
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

    return AfterValidator(check)


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


HttpAddress = Annotated[str, _address(("https", "http"))]
LiveKitAddress = Annotated[str, _address(("wss", "ws", "https", "http"))]
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

# --- the file ------------------------------------------------------------------------------------------------------


class Written(BaseModel):
    """One mapping of the file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        allow_inf_nan=False,
        json_schema_extra={"patternProperties": {"^x-": {}}},
    )

    LATER: ClassVar[Mapping[str, str]] = {}
    """Keys of later versions, with what to do today."""

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: object) -> object:
        """Leaves out what is there for the file's own use, as a place for anchors: `x-base: &base {…}`."""
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if not str(key).startswith("x-")}
        return value


class LiveKitWritten(Written):
    local: bool = False
    url: LiveKitAddress | None = None
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if value == "local":
            return {"local": True}
        if isinstance(value, str):
            raise refused("must be local or a mapping", 'write livekit: {url: "wss://…", api_key: …, api_secret: …}')
        if isinstance(value, dict) and "local" in value:
            raise refused("must be local or a mapping with url", "write livekit: local")
        return value


class ModelWritten(Written):
    """A language model, a voice or ears: who serves it."""

    provider: str
    model: str | None = None
    base_url: Annotated[HttpAddress, AfterValidator(_base_url)] | None = None
    api_key: SecretStr | None = None
    options: dict[str, JsonValue] | None = None
    fallbacks: list[ModelWritten] | None = None
    """Only a list of providers is unfolded to it: who is asked where the one before fails."""

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if isinstance(value, list):
            return _in_a_row(value)
        if isinstance(value, str):
            provider, _, model = value.partition("/")
            value = {"provider": provider.strip()} | ({"model": model} if model else {})
        if isinstance(value, dict) and "fallbacks" in value and not isinstance(value["fallbacks"], _Row):
            raise refused("fallbacks are written as a list", "write llm: [openai/gpt-4o-mini, local]")
        if isinstance(value, dict) and isinstance(value.get("provider"), str):
            _check_provider(value)
        return value


def _check_provider(written: Mapping[str, Any]) -> None:
    provider = written["provider"]
    if not _PROVIDER.fullmatch(provider):
        raise refused(f"{provider!r} cannot name a provider", "write local, or PROVIDER/MODEL as in openai/gpt-4o-mini")
    if provider == "openai" and written.get("model") in (None, ""):
        raise refused("openai needs a model", "write openai/gpt-4o-mini, or add model: …")
    if provider == "local" and (written.get("base_url") or written.get("api_key")):
        raise refused("local has its own address and needs no key", "write provider: openai for any other server")


class _Row(list[Any]):
    """Those who come after the first of a list, on their way to `fallbacks`."""


def _in_a_row(listed: list[Any]) -> object:
    """Returns the first of a list of providers, with the others as its fallbacks."""
    if not listed:
        raise refused("names nobody", "write llm: [openai/gpt-4o-mini, local]")
    if any(isinstance(item, list) for item in listed):
        raise refused("is a list within a list", "write one list: [openai/gpt-4o-mini, local]")
    first = ModelWritten._unfold(listed[0])  # type: ignore[operator]
    rest = _Row(listed[1:])
    return {**first, "fallbacks": rest} if isinstance(first, dict) and rest else first


class VoiceWritten(Written):
    name: str | None = None
    pitch: float | None = Field(None, ge=0.5, le=2)
    formant: float | None = Field(None, ge=0.7, le=1.4)

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class FaceWritten(Written):
    local: bool = False
    face_id: str | None = Field(None, min_length=1)
    api_key: SecretStr | None = None
    url: HttpAddress | None = None
    api: Literal["compose", "legacy"] | None = None
    transport: Literal["bridge", "direct", "auto"] | None = None
    max_session: Seconds | None = None
    max_idle: Seconds | None = None
    idle_close: Seconds | Literal["never"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if value == "local":
            return {"local": True}
        if isinstance(value, str):
            if _PICTURE.search(value):
                raise not_yet("a picture as a face", "write face: local, or face: {face_id: …}")
            raise refused("must be local or a mapping", f"write face: local, or face: {{face_id: {value}}}")
        if isinstance(value, dict):
            if "local" in value:
                raise refused("must be local or a mapping with face_id", "write face: local")
            if value.get("api") == "legacy" and value.get("transport") == "direct":
                raise refused("api: legacy has no transport: direct", "write api: compose, or transport: bridge")
        return value


class LimitsWritten(Written):
    memory: Megabytes | None = None


class BudgetWritten(Written):
    avatar_seconds: float | None = Field(None, ge=1)
    llm_tokens: int | None = Field(None, ge=1)
    tts_characters: int | None = Field(None, ge=1)


def _turns(value: object) -> object:
    if value is None or value == "none" or (type(value) is int and 1 <= value <= MAX_AGENT_TURNS):
        return value
    raise refused(f"must be none or a number from 1 to {MAX_AGENT_TURNS}", "write max_agent_turns: 4")


class MeetingWritten(Written):
    topic: str | None = Field(None, max_length=500)
    language: Annotated[str, AfterValidator(_language)] | None = None
    floor: FloorMode | None = None
    max_agent_turns: Annotated[int | Literal["none"] | None, BeforeValidator(_turns)] = None
    opening: str | None = Field(None, min_length=1)
    max_duration: Seconds | None = None
    idle_timeout: Seconds | None = None
    transcript: TranscriptMode | None = None


class DefaultsWritten(Written):
    llm: ModelWritten | None = None
    tts: ModelWritten | None = None
    stt: ModelWritten | None = None


class ExampleWritten(Written):
    """What the agent is asked, and how it answers."""

    asked: Annotated[str, AfterValidator(_example)]
    answer: Annotated[str, AfterValidator(_example)]


class AgentWritten(Written):
    name: Annotated[str, AfterValidator(_agent_name)]
    identity: Annotated[str, AfterValidator(_identity)] | None = None
    agent: Literal["simli", "audio"] | None = None
    persona: Annotated[str, AfterValidator(_persona)] | None = None
    examples: list[ExampleWritten] | None = Field(None, max_length=MAX_EXAMPLES)
    voice: VoiceWritten | None = None
    face: FaceWritten | None = None
    speaks: Speaks | None = None
    restart: RestartPolicy | None = None
    limits: LimitsWritten | None = None
    budget: BudgetWritten | None = None
    env: Annotated[dict[str, str], BeforeValidator(_variables)] | None = None
    env_file: str | None = Field(None, min_length=1)
    command: Annotated[list[str], BeforeValidator(_command)] | None = None
    cwd: str | None = Field(None, min_length=1)
    livekit_api_credentials: bool | None = None
    start_timeout: Seconds | None = None
    llm: ModelWritten | None = None
    tts: ModelWritten | None = None


class HeadWritten(Written):
    """Everything but the agents, which are read one by one so that a fault in one hides none in another."""

    room: Annotated[str, AfterValidator(_room_name)] | None = None
    livekit: LiveKitWritten | None = None
    meeting: MeetingWritten | None = None
    defaults: DefaultsWritten | None = None
    agents: list[Any] = Field(min_length=1)


class RosterWritten(HeadWritten):
    """The whole file, for its JSON Schema."""

    agents: list[AgentWritten] = Field(min_length=1)
