"""The wire: what supervisor and child, and chair and agents, say to each other. Values only, no I/O.

Supervisor and child speak newline-delimited JSON over the child's stdin (commands) and stdout (events). Chair and
agents speak LiveKit RPC under the `mc.` methods below; a message is believed only from the chair (at an agent) or from
the cast (at the chair). The file is the contract for agents written elsewhere: keys are added, never changed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, TypeAdapter, ValidationError, field_serializer

SCHEMA_VERSION = 1

MAX_LINE_BYTES = 1_000_000
"""A longer line is a fault of the child, not a message; the longest real one is an Assignment with its transcript."""


class Model(BaseModel):
    """A frozen value; unknown keys are ignored, so that an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# --- shared values -------------------------------------------------------------------------------------------------


class IceState(StrEnum):
    """The seven states of W3C's RTCIceTransportState."""

    NEW = "new"
    CHECKING = "checking"
    CONNECTED = "connected"
    COMPLETED = "completed"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


class AgentSpeech(StrEnum):
    """What an agent is doing, in LiveKit's words (`lk.agent.state`)."""

    INITIALIZING = "initializing"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


class UtteranceKind(StrEnum):
    """How the words came about."""

    SPEECH = "speech"
    CHAT = "chat"
    FACT = "fact"
    """Said by nobody: told from outside, or that somebody came or left."""


class Speaks(StrEnum):
    """When an agent may take the floor."""

    ON_ADDRESS = "on-address"
    FREELY = "freely"
    NEVER = "never"


class FloorMode(StrEnum):
    """Who is given the floor."""

    ADDRESSED = "addressed"
    """Whoever is named; an unaddressed question goes to one by turn."""
    ROUND_ROBIN = "round-robin"
    """Everybody in turn, named or not."""
    MODERATED = "moderated"
    """A language model picks, and where it fails or is slow, as `addressed`."""
    FREE = "free"
    """Whoever wants to, one at a time."""


class RestartPolicy(StrEnum):
    """Whether a process that ended is started again."""

    ON_FAILURE = "on-failure"
    ALWAYS = "always"
    NO = "no"


class Endpoint(Model):
    """Where a model is served, and by which of LiveKit's plugins it is spoken to."""

    provider: str = "openai"
    """The plugin: `livekit.plugins.<provider>`. The local server and Ollama speak OpenAI's HTTP API."""
    base_url: str | None = None
    """OpenAI's ends in `/v1`; None = the provider's own."""
    api_key: SecretStr
    """Empty where the plugin finds what it needs in the environment of its process."""
    model: str
    """Empty = the plugin's own choice."""
    options: dict[str, str | int | float | bool] = {}
    """Passed to the plugin's constructor as they are."""

    @field_serializer("api_key", when_used="json")
    def _reveal(self, key: SecretStr) -> str:
        return key.get_secret_value()  # the wire is the one place that carries it


class Voice(Model):
    """How an agent sounds."""

    name: str | None = None
    """The provider's voice name."""
    pitch: float = 1.0
    """Of the local voice: factor on the fundamental frequency, 0.5 to 2."""
    formant: float = 1.0
    """Of the local voice: factor on the vocal tract's resonances, 0.7 to 1.4."""


class Avatar(Model):
    """The participant that Simli's worker is, where it joins the room itself."""

    identity: str
    token: SecretStr
    livekit_url: str
    """As Simli's side reaches it."""

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class Face(Model):
    """A Simli face and where it is served."""

    url: str
    """`https://api.simli.ai`, or the local server's."""
    api_key: SecretStr
    face_id: str
    api: Literal["compose", "legacy"] = "compose"
    max_session_s: int = 3600
    max_idle_s: int = 300
    """Without speech Simli ends a session after so long; it bounds what a killed process leaves running."""
    idle_close_s: float | None = None
    """Without a person in the room the session is closed after so long; None = never."""
    avatar: Avatar | None = None
    """Where Simli's own worker joins the room; None = its media comes through the agent."""

    @field_serializer("api_key", when_used="json")
    def _reveal(self, key: SecretStr) -> str:
        return key.get_secret_value()


class CastMember(Model):
    """One agent as the chair knows it."""

    identity: str
    name: str
    speaks: Speaks = Speaks.FREELY
    serves_floor: bool = True
    """False for a `command:` that does not serve `mc.*`: it has ears and a voice of its own."""
    publishes: tuple[MediaKind, ...] = (MediaKind.AUDIO,)
    """What the chair must see arrive before the agent counts as ready."""


class MeetingRules(Model):
    """How the chair runs the meeting."""

    floor: FloorMode = FloorMode.ADDRESSED
    max_agent_turns: int | None = 4
    """Agent turns in a row before a human must speak; None = no limit."""
    opening: str | None = None
    """Identity of the agent that greets the first human, or that starts a meeting of agents alone."""
    agents_alone: bool = False
    """Whether agents may talk while no human is there; such a meeting has a `max_duration`."""


class Line(Model):
    """One line of the transcript. A later line with the same id replaces it: the person had not finished."""

    id: str
    at: float
    """Unix time, seconds, when the words began."""
    speaker: str
    identity: str
    kind: UtteranceKind = UtteranceKind.SPEECH
    text: str
    interrupted: bool = False
    ended_at: float | None = None
    """Unix time, seconds, when the words ended; None = not known."""


# --- down: supervisor to child -------------------------------------------------------------------------------------


class Assignment(Model):
    """The first line a child reads: who it is and where it goes."""

    type: Literal["assignment"] = "assignment"
    schema_version: int = SCHEMA_VERSION
    identity: str
    name: str
    room: str
    url: str
    token: SecretStr
    chair_identity: str | None = None
    """Whose `mc.*` messages to believe; None = no floor is kept."""
    register_with_chair: bool = False
    """True where the chair belongs to another supervisor and does not know this agent yet."""
    topic: str | None = None
    persona: str = ""
    language: str = "en"
    llm: Endpoint | None = None
    tts: Endpoint | None = None
    stt: Endpoint | None = None
    voice: Voice = Voice()
    face: Face | None = None
    transcript: tuple[Line, ...] = ()
    cast: tuple[CastMember, ...] = ()
    """The chair needs all of it; an agent, the others' names."""
    rules: MeetingRules = MeetingRules()
    """The chair's; to an agent they are for information."""

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()


class CastChanged(Model):
    """To the chair: agents came or went."""

    type: Literal["cast_changed"] = "cast_changed"
    cast: tuple[CastMember, ...]


class Say(Model):
    """To the chair: have that agent say these very words."""

    type: Literal["say"] = "say"
    identity: str
    text: str


class Ask(Model):
    """To the chair: have that agent answer this, as if a host had asked it."""

    type: Literal["ask"] = "ask"
    identity: str
    text: str


class Tell(Model):
    """To the chair: a fact for every agent; nobody answers it."""

    type: Literal["tell"] = "tell"
    text: str


class GiveFloor(Model):
    """To the chair: that agent speaks next, of its own accord."""

    type: Literal["give_floor"] = "give_floor"
    identity: str


class Mute(Model):
    """To the chair: that agent is not given the floor, and falls silent now; or it may speak again."""

    type: Literal["mute"] = "mute"
    identity: str
    muted: bool = True


class Stop(Model):
    """Leave the room and exit."""

    type: Literal["stop"] = "stop"
    reason: str = "stopped"


Command = Assignment | CastChanged | Say | Ask | Tell | GiveFloor | Mute | Stop
AgentCommand = Annotated[Command, Field(discriminator="type")]

# --- up: child to supervisor ---------------------------------------------------------------------------------------


class Ready(Model):
    """Joined the room and publishing."""

    type: Literal["ready"] = "ready"


class Serving(Model):
    """From a stand-in: it answers at this address."""

    type: Literal["serving"] = "serving"
    url: str


class LegStats(Model):
    """One leg, over the last two seconds; what cannot be measured is None."""

    type: Literal["leg_stats"] = "leg_stats"
    leg: Literal["room", "simli"]
    ice: IceState
    video_fps: float | None = None
    """Room leg: frames sent; simli leg: frames received."""
    audio_fps: float | None = None
    """RTP audio packets a second."""
    width: int | None = None
    height: int | None = None
    kbps: float | None = None
    loss: float | None = None
    """0 to 1."""
    rtt_ms: float | None = None


class SpeechState(Model):
    type: Literal["speech_state"] = "speech_state"
    state: AgentSpeech


class AvOffset(Model):
    """Audio minus video at the room leg, milliseconds; positive = audio late."""

    type: Literal["av_offset"] = "av_offset"
    ms: float


class AvatarSession(Model):
    """An avatar session is about to be opened, or is closed. It costs money until it is closed or its limit is up."""

    type: Literal["avatar_session"] = "avatar_session"
    id: str
    """The agent's own name for it."""
    opened: bool
    until: float | None = None
    """Unix time, seconds, at which it ends by itself if nobody closes it and nothing is said; None once closed."""


class Usage(Model):
    """Running totals since this process began."""

    type: Literal["usage"] = "usage"
    avatar_seconds: float = 0
    llm_tokens: int = 0
    tts_characters: int = 0


class Warn(Model):
    """Something a person should know; nothing stops."""

    type: Literal["warning"] = "warning"
    message: str
    hint: str | None = None


class Degraded(Model):
    """The agent goes on with less; None = it is whole again."""

    type: Literal["degraded"] = "degraded"
    reason: str | None


class Failed(Model):
    """The last line of a child that gives up."""

    type: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str | None = None
    permanent: bool = False
    """True where trying again cannot help: a bad key, removed from the room, identity taken."""


class MediaReceived(Model):
    """From the chair: media of that agent arrives at another participant."""

    type: Literal["media_received"] = "media_received"
    identity: str
    kind: MediaKind


class Utterance(Model):
    """From the chair: somebody said something."""

    type: Literal["utterance"] = "utterance"
    line: Line


class FloorChanged(Model):
    """From the chair: who holds the floor, None = nobody."""

    type: Literal["floor_changed"] = "floor_changed"
    holder: str | None


class TurnLatency(Model):
    """From the chair: one answered turn, milliseconds by stage."""

    type: Literal["turn_latency"] = "turn_latency"
    identity: str
    stages_ms: dict[str, float]
    line_id: str | None = None
    """The transcript's line that was the answer; None = the last one of that agent."""


class Observed(Model):
    """From the scripted people of a rehearsal: one fact, in the words of `meetctl.script`."""

    type: Literal["observed"] = "observed"
    fact: dict[str, JsonValue]


Event = (
    Ready
    | Serving
    | LegStats
    | SpeechState
    | AvOffset
    | AvatarSession
    | Usage
    | Warn
    | Degraded
    | Failed
    | MediaReceived
    | Utterance
    | FloorChanged
    | TurnLatency
    | Observed
)
AgentEvent = Annotated[Event, Field(discriminator="type")]


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


# --- chair and agents: LiveKit RPC ---------------------------------------------------------------------------------

HEAR = "mc.hear"
PREPARE = "mc.prepare"
GRANT = "mc.grant"
STOP = "mc.stop"
RELEASE = "mc.release"
DRAFT = "mc.draft"
REGISTER = "mc.register"

CHAIR_METHODS = (HEAR, PREPARE, GRANT, STOP)
"""Served by an agent, believed only from the chair."""
AGENT_METHODS = (RELEASE, DRAFT, REGISTER)
"""Served by the chair, believed only from the cast (`mc.register`: from participants of kind agent)."""

ROLE_ATTRIBUTE = "mc.role"
"""Participant attribute: `chair` or `agent`. Set in the token; guests cannot change attributes."""
SOURCE_ATTRIBUTE = "mc.source"
"""Attribute of a transcription stream that the chair publishes in a person's name; its value is `chair`."""


class Hear(Model):
    """Chair to agent: somebody said this; remember it, do not answer."""

    line: Line


class Prepare(Model):
    """Chair to agent: this may be the next turn; get an answer ready, do not speak."""

    line: Line


class Grant(Model):
    """Chair to agent: you hold the floor; answer this."""

    grant_id: str
    line: Line | None = None
    """What to answer; None = speak of your own accord."""
    verbatim: str | None = None
    """Say these very words instead of answering."""


class StopSpeaking(Model):
    """Chair to agent: fall silent now and release the floor."""

    grant_id: str


class Release(Model):
    """Agent to chair: the turn is over."""

    grant_id: str
    text: str
    """What was really spoken."""
    interrupted: bool = False
    started_at: float | None = None
    """Unix time, seconds, when sound began; None = nothing was heard."""
    stages_ms: dict[str, float] = {}


class Draft(Model):
    """Agent to chair: what the turn will have said once it has been heard; whoever is next may prepare."""

    grant_id: str
    text: str


class Register(Model):
    """Agent to chair: take me into the cast."""

    member: CastMember
