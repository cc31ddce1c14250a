"""The roster as people write it: every key, its type, and what is not in this version yet. No files, no environment.

Shorthands (`llm: local`, `voice: nova`) are unfolded on the way in. What a value means together with the others is
`entry.py`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)

from meetctl.protocol import FloorMode, OnInterrupt, OpenQuestions, RestartPolicy, Speaks
from meetctl.roster.kinds import (
    MAX_AGENT_TURNS,
    MAX_ALSO_CALLED,
    MAX_EXAMPLES,
    MAX_TOOL_S,
    MAX_TOOL_STEPS,
    MAX_TOOLS,
    AgentName,
    Approve,
    BaseUrl,
    Command,
    ExampleText,
    Filler,
    HttpAddress,
    Identity,
    Language,
    LiveKitAddress,
    Megabytes,
    Persona,
    Placement,
    Role,
    RoomName,
    Seconds,
    Server,
    Variables,
    not_yet,
    refused,
)
from meetctl.roster.schema import AdmitMode, TranscriptMode

WRITE_TO_CHAT = "write_to_chat"
_PROVIDER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PICTURE = re.compile(r"[/\\]|\.(?:png|jpe?g|webp|gif|bmp|svg)$", re.IGNORECASE)


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
    base_url: BaseUrl | None = None
    api_key: SecretStr | None = None
    options: dict[str, JsonValue] | None = None
    realtime: bool | None = None
    """Of a language model: it speaks by itself."""
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
    provider: Literal["local", "simli"] | None = None
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
            if value.get("provider") == "local":
                if others := sorted(map(str, value.keys() - {"provider", "transport"})):
                    raise refused(f"a local face has no {others[0]}", f"remove {others[0]}, or write provider: simli")
                return {**value, "local": True}
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


class FloorWritten(Written):
    """How the floor is given."""

    mode: FloorMode | None = None
    open_questions: OpenQuestions | None = None
    judge: ModelWritten | None = None

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        return value if isinstance(value, Mapping) else {"mode": value}


class MeetingWritten(Written):
    topic: str | None = Field(None, max_length=500)
    language: Language | None = None
    floor: FloorWritten | None = None
    max_agent_turns: Annotated[int | Literal["none"] | None, BeforeValidator(_turns)] = None
    opening: str | None = Field(None, min_length=1)
    max_duration: Seconds | None = None
    idle_timeout: Seconds | None = None
    transcript: TranscriptMode | None = None
    admit: AdmitMode | None = None


class ReachWritten(Written):
    """How people on other machines come in."""

    host: str | None = Field(None, min_length=1, max_length=253)
    port: int | None = Field(None, ge=1, le=65_535)
    tls: bool | None = None
    tls_cert: str | None = Field(None, min_length=1)
    tls_key: str | None = Field(None, min_length=1)
    public_url: str | None = Field(None, min_length=1, max_length=2_000)
    node_ip: str | None = Field(None, min_length=1, max_length=253)


class ToolWritten(Written):
    """Where some of an agent's tools come from; a bare name is one that meetctl has itself."""

    mcp: Server | None = None
    python: str | None = Field(None, min_length=1)
    builtin: Literal["write_to_chat"] | None = None
    headers: dict[str, SecretStr] | None = None
    only: list[str] | None = Field(None, min_length=1)
    approve: Approve | None = None
    on_interrupt: OnInterrupt | None = None
    env: Variables | None = None

    @model_validator(mode="before")
    @classmethod
    def _unfold(cls, value: object) -> object:
        if isinstance(value, str):
            if value != WRITE_TO_CHAT:
                message = f"no tool of meetctl's own is named {value!r}"
                raise refused(message, "write {mcp: […]}, {python: ./tools.py} or write_to_chat")
            return {"builtin": value}
        if isinstance(value, dict):
            if ("mcp" in value) == ("python" in value):
                raise refused("must have either mcp or python", "write {mcp: […]} or {python: ./tools.py}")
            _check_tool(value)
        return value


def _check_tool(written: Mapping[str, Any]) -> None:
    is_process = isinstance(written.get("mcp"), list)
    if "headers" in written and not isinstance(written.get("mcp"), str):
        raise refused("headers belong to a server with an address", 'write mcp: "https://…", or remove headers')
    if "env" in written and not is_process:
        raise refused("env belongs to a server that is a process", "write mcp: [PROGRAM, …], or remove env")


class ToolUseWritten(Written):
    """What an agent and `defaults` both may say of tools."""

    tools: list[ToolWritten] | None = Field(None, max_length=MAX_TOOLS)
    max_tool_steps: int | None = Field(None, ge=1, le=MAX_TOOL_STEPS)
    tool_timeout: Annotated[Seconds, Field(le=MAX_TOOL_S)] | None = None
    filler: Filler | None = None
    hand_over: bool | None = None


class DefaultsWritten(ToolUseWritten):
    llm: ModelWritten | None = None
    tts: ModelWritten | None = None
    stt: ModelWritten | None = None


class ExampleWritten(Written):
    """What the agent is asked, and how it answers."""

    asked: ExampleText
    answer: ExampleText


class AgentWritten(ToolUseWritten):
    agent_class: str | None = Field(None, alias="class", min_length=1)
    name: AgentName
    identity: Identity | None = None
    agent: Literal["simli", "audio"] | None = None
    role: Role | None = None
    also_called: list[AgentName] | None = Field(None, max_length=MAX_ALSO_CALLED)
    persona: Persona | None = None
    examples: list[ExampleWritten] | None = Field(None, max_length=MAX_EXAMPLES)
    voice: VoiceWritten | None = None
    face: FaceWritten | None = None
    speaks: Speaks | None = None
    restart: RestartPolicy | None = None
    on: Placement | None = None
    limits: LimitsWritten | None = None
    budget: BudgetWritten | None = None
    env: Variables | None = None
    env_file: str | None = Field(None, min_length=1)
    command: Command | None = None
    cwd: str | None = Field(None, min_length=1)
    livekit_api_credentials: bool | None = None
    start_timeout: Seconds | None = None
    llm: ModelWritten | None = None
    tts: ModelWritten | None = None


class HeadWritten(Written):
    """Everything but the agents, which are read one by one so that a fault in one hides none in another."""

    room: RoomName | None = None
    livekit: LiveKitWritten | None = None
    reach: ReachWritten | None = None
    meeting: MeetingWritten | None = None
    defaults: DefaultsWritten | None = None
    agents: list[Any] = Field(min_length=1)


class RosterWritten(HeadWritten):
    """The whole file, for its JSON Schema."""

    agents: list[AgentWritten] = Field(min_length=1)
