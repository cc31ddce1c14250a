"""The roster as the rest of meetctl sees it: defaults merged, variables filled in, secrets sealed. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr

from meetctl.catalogue import BETTER
from meetctl.errors import UsageError
from meetctl.protocol import Example, FloorMode, MeetingRules, OnInterrupt, RestartPolicy, Speaks, Voice
from meetctl.protocol.secrets import SECRET_NAME
from meetctl.roster.public_url import PublicUrl
from meetctl.settings import LiveKitCredentials

SIMLI_URL = "https://api.simli.ai"
LOCAL = "local"
NO_KEY = "none"
"""Sent to an OpenAI-compatible server that wants no key; the client insists on one."""
IDLE_CLOSE_S = 300
"""A face that costs money is closed after five minutes in a room without people."""
MASKED_FROM = 6
"""Shorter values are no secrets, and masking them would blank out ordinary words."""

_RUNNERS = frozenset({"uvx", "npx", "uv", "python", "python3"})
"""Programs that say less of a tool server than what they run."""


class Program(StrEnum):
    """What plays an entry."""

    SIMLI = "simli"
    AUDIO = "audio"
    COMMAND = "command"


class AdmitMode(StrEnum):
    """Whom a link lets in by itself."""

    EVERYBODY = "everybody"
    ASK = "ask"
    """Hosts alone; everybody else waits outside until one of them says so."""


class TranscriptMode(StrEnum):
    """What becomes of what is said."""

    FILES = "files"
    """Kept for agents that come back, and written down."""
    MEMORY = "memory"
    """Kept for agents that come back, while the meeting lasts."""
    OFF = "off"
    """Not kept: an agent that comes back knows nothing of it."""


class Resolved(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ModelChoice(Resolved):
    """Who serves a language model, a voice or ears."""

    provider: str = "local"
    """`local`, or the plugin `livekit.plugins.<provider>`."""
    model: str | None = None
    """Of local, a name in the catalogue or a file's absolute path; None = the usual one, or the plugin's own choice."""
    base_url: str | None = None
    """None = the provider's own address, or the local server's."""
    api_key: SecretStr | None = None
    """None for local, and where the plugin looks for what it needs in its environment."""
    variables: dict[str, SecretStr] = {}
    """What the plugin looks for there."""
    options: dict[str, JsonValue] = {}
    realtime: bool = False
    """Of a language model: it speaks by itself, and the agent needs no other voice."""
    fallbacks: tuple[ModelChoice, ...] = ()
    """Who is asked where this one fails, in their order."""

    @property
    def is_local(self) -> bool:
        return self.provider == "local"

    @property
    def in_a_row(self) -> tuple[ModelChoice, ...]:
        """Returns this one and its fallbacks."""
        return (self.model_copy(update={"fallbacks": ()}), *self.fallbacks)


class FaceChoice(Resolved):
    """Whose face an avatar wears and who draws it."""

    local: bool = True
    face_id: str | None = None
    """None only where local: the program that starts it chooses one by identity."""
    api_key: SecretStr | None = None
    url: str | None = None
    """None only where local."""
    api: Literal["compose", "legacy"] = "compose"
    transport: Literal["bridge", "direct", "auto"] = "bridge"
    """Through the agent; by Simli's own worker in the room; or whichever the LiveKit server allows."""
    max_session_s: int | None = None
    max_idle_s: int | None = None
    """None = the wire's default."""
    idle_close_s: int | None = None
    """Closed after so long without a person; None = never."""


class Limits(Resolved):
    """What an agent may use at any moment; None = no limit."""

    memory_mb: float | None = None
    """Unique set size, in millions of bytes."""


class Budget(Resolved):
    """What an agent may spend in one meeting; None = no limit. The names are those of the wire's `UsageKind`."""

    avatar_seconds: float | None = None
    llm_tokens: int | None = None
    tts_characters: int | None = None


class ToolChoice(Resolved):
    """Where some of an agent's tools come from; exactly one of the first four is given."""

    command: tuple[str, ...] = ()
    url: str | None = None
    python: Path | None = None
    """Absolute."""
    builtin: str | None = None
    agent_class: str | None = None
    """Of the Python file: the class that the agent is; its tools are its methods."""
    headers: dict[str, SecretStr] = {}
    only: tuple[str, ...] | None = None
    approve: tuple[str, ...] = ()
    on_interrupt: OnInterrupt | None = None
    env: dict[str, SecretStr] = {}

    @property
    def name(self) -> str:
        """What people are told it is called."""
        if self.command:
            runner, *words = self.command
            run = next((word for word in words if not word.startswith("-")), runner)
            return Path(run if Path(runner).name in _RUNNERS else runner).name
        if self.url is not None:
            return urlsplit(self.url).hostname or self.url
        return self.python.name if self.python is not None else str(self.builtin)


class ToolSettings(Resolved):
    """What an agent has in the way of tools, and how it uses them."""

    choices: tuple[ToolChoice, ...] = ()
    max_steps: int = 5
    timeout_s: int = 20
    filler: str | None = None
    """What it says where a tool takes its time; empty = nothing; None = words of its language."""


class AgentEntry(Resolved):
    """One agent, before anything runs."""

    name: str
    identity: str
    program: Program
    role: str = ""
    """What it is in the meeting; people may call it by that."""
    also_called: tuple[str, ...] = ()
    """Other names that people may call it by."""
    persona: str = ""
    examples: tuple[Example, ...] = ()
    """None = such as are made of the persona, where the model is a small one."""
    voice: Voice | None = None
    """None = meetctl chooses one that no other agent has."""
    face: FaceChoice | None = None
    """Of a simli agent, always; of a command, where written."""
    speaks: Speaks = Speaks.FREELY
    restart: RestartPolicy = RestartPolicy.ON_FAILURE
    on: str = LOCAL
    """Where it runs: `local`, `workers` or `workers/LABEL`."""
    limits: Limits = Limits()
    budget: Budget = Budget()
    env: dict[str, SecretStr] = {}
    """`env_file` with `env` laid over it."""
    command: tuple[str, ...] = ()
    """Of a command: argv with `{room} {identity} {name}` still to be filled in."""
    cwd: Path | None = None
    """Of a command: absolute; the roster's directory unless given."""
    livekit_api_credentials: bool = False
    start_timeout_s: int | None = None
    """Of a command: how long it may take to join; None = as long as a program of ours."""
    llm: ModelChoice | None = None
    """Of simli and audio, always; of a command, where its entry has one."""
    tts: ModelChoice | None = None
    tools: ToolSettings = ToolSettings()
    folder: Path | None = None
    """The roster's, where its tools run; None = it has none."""

    @property
    def dispatched(self) -> bool:
        """Returns whether it runs on whichever worker LiveKit gives it to."""
        return self.on != LOCAL

    @property
    def label(self) -> str | None:
        """Returns what its worker has to be labelled with, None where it needs none."""
        return self.on.partition("/")[2] or None


class ReachChoice(Resolved):
    """How people on other machines come in."""

    host: str | None = None
    """`auto`, an address of this machine or a name that leads to it; None = they do not."""
    port: int | None = None
    """None = 443 where it may be had, else 7443; behind a proxy 7444."""
    tls: bool = True
    tls_cert: Path | None = None
    """Absolute, as the key; both or neither. None = signed by the local authority."""
    tls_key: Path | None = None
    public_url: PublicUrl | None = None
    """Where a proxy on this machine serves the meeting; None = nothing stands in front."""
    node_ip: str | None = None
    """Where people send media, where that is another address than `host`: behind a router that passes it on. An IP
    address or `stun:HOST[:PORT]`."""


def reached_at(written: ReachChoice | None, host: str | None, port: int | None) -> ReachChoice | None:
    """Returns the way in with what a command line says of it laid over.

    Raises:
        UsageError: if it names a port, and nobody an address.
    """
    changed = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    if not changed:
        return written
    reach = (written or ReachChoice()).model_copy(update=changed)
    if reach.host is None:
        raise UsageError("--port is for people on other machines, and nothing lets them in", hint="add --host auto")
    return reach


class Roster(Resolved):
    """Who attends, and where."""

    file: Path
    env_file: Path | None = None
    """The `.env` that was named instead of the one beside the file."""
    streams: dict[str, SecretStr] = {}
    """What other processes have read out of these where they are no files, see `streams.py`."""
    room: str
    livekit: LiveKitCredentials | None = None
    """None = a server of our own."""
    reach: ReachChoice | None = None
    """None = people on this machine alone."""
    topic: str | None = None
    language: str | None = None
    """A code, or `auto` for whichever is spoken; None = nobody said."""
    rules: MeetingRules = MeetingRules()
    max_duration_s: int | None = None
    """None = until somebody ends it."""
    transcript: TranscriptMode = TranscriptMode.FILES
    admit: AdmitMode = AdmitMode.EVERYBODY
    idle_timeout_s: int | None = None
    """The meeting ends when no person was in the room for so long; None = it stays."""
    llm: ModelChoice | None = ModelChoice()
    tts: ModelChoice | None = ModelChoice()
    """The defaults, for agents that join without an entry; None = they lack a key. An entry holds its own."""
    stt: ModelChoice = ModelChoice()
    judge: ModelChoice | None = None
    """Asked for whom a line is meant where the rules' words do not decide; None = the rules decide alone."""
    agents: tuple[AgentEntry, ...]

    @property
    def moderator(self) -> ModelChoice | None:
        """Returns the language model that gives the floor, None where none does."""
        return self.llm if self.rules.floor is FloorMode.MODERATED else None

    @property
    def chair_llm(self) -> ModelChoice | None:
        """Returns the chair's language model: a moderator or a judge, None where it has neither."""
        return self.moderator or self.judge

    @property
    def local_models(self) -> tuple[tuple[str, str], ...]:
        """What the local model server must serve, each once: `llm`, `stt` or `tts`, and a name or a path."""
        choices = [("stt", self.stt), ("llm", self.chair_llm)]
        for agent in self.agents:
            if agent.dispatched:
                continue  # each worker has its own
            choices += [("llm", agent.llm), ("tts", agent.tts)]
        every = ((part, one) for part, choice in choices if choice is not None for one in choice.in_a_row)
        local = ((part, choice) for part, choice in every if choice.is_local)
        return tuple(dict.fromkeys((part, choice.model or BETTER[part]) for part, choice in local))

    @property
    def needs_local_models(self) -> bool:
        """Whether the local model server must run."""
        return bool(self.local_models)

    @property
    def local_faces(self) -> tuple[str, ...]:
        """Returns what the local faces are drawn by."""
        return tuple(
            agent.face.face_id or agent.identity for agent in self.agents if agent.face is not None and agent.face.local
        )

    @property
    def needs_local_simli(self) -> bool:
        """Whether the local Simli server must run."""
        return any(agent.face is not None and agent.face.local for agent in self.agents)


def avatar_identity(identity: str) -> str:
    """Returns the identity under which an agent's avatar joins by itself."""
    return f"{identity}-avatar"


def secrets_of(roster: Roster) -> set[str]:
    """Returns every text of the roster that no log, status or error may show."""
    found = set(_secrets_of_models([roster.llm, roster.tts, roster.stt, roster.judge]))
    if roster.livekit is not None:
        found |= {roster.livekit.api_key, roster.livekit.api_secret.get_secret_value()}
    for agent in roster.agents:
        found |= secrets_of_entry(agent)
    return {secret for secret in found if len(secret) >= MASKED_FROM}


def secrets_of_entry(agent: AgentEntry) -> set[str]:
    """Returns every text of one entry that no log, status or error may show."""
    found = set(_secrets_of_models([agent.llm, agent.tts]))
    if agent.face is not None and agent.face.api_key is not None:
        found.add(agent.face.api_key.get_secret_value())
    found |= {value.get_secret_value() for name, value in agent.env.items() if SECRET_NAME.search(name)}
    found |= _secrets_of_tools(agent.tools)
    return {secret for secret in found if len(secret) >= MASKED_FROM}


def _secrets_of_tools(use: ToolSettings) -> set[str]:
    """Returns every text of an entry's tools that no log, status, error or transcript may show."""
    return {secret for tool in use.choices for secret in _secrets_of_tool(tool) if len(secret) >= MASKED_FROM}


def _secrets_of_tool(tool: ToolChoice) -> Iterable[str]:
    for value in tool.headers.values():
        text = value.get_secret_value()
        yield from (text, text.rpartition(" ")[2])  # `Bearer …`: the key turns up alone as well
    yield from (value.get_secret_value() for name, value in tool.env.items() if SECRET_NAME.search(name))
    if tool.url is not None and (password := urlsplit(tool.url).password):
        yield password


def _secrets_of_models(choices: Iterable[ModelChoice | None]) -> Iterable[str]:
    for choice in (one for written in choices if written is not None for one in written.in_a_row):
        if choice.api_key is not None:
            yield choice.api_key.get_secret_value()
        yield from (value.get_secret_value() for value in choice.variables.values())
        if choice.base_url is not None and (password := urlsplit(choice.base_url).password):
            yield password
