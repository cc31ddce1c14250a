"""What both sides of the wire speak of: who, how, where, and the words that were said."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, SecretStr, field_serializer


class Model(BaseModel):
    """A frozen value; unknown keys are ignored, so that an older reader survives a newer writer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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
    TOOL = "tool"
    """Said by nobody: what an agent had a tool do, and what came of it. Only that agent knows."""


TALK = frozenset({UtteranceKind.SPEECH, UtteranceKind.CHAT})
"""What somebody said."""


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


class Voice(Model):
    """How an agent sounds."""

    name: str | None = None
    """The provider's voice name."""
    pitch: float = 1.0
    """Of the local voice: factor on the fundamental frequency, 0.5 to 2."""
    formant: float = 1.0
    """Of the local voice: factor on the vocal tract's resonances, 0.7 to 1.4."""


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
    options: dict[str, JsonValue] = {}
    """Passed to the plugin's constructor as they are."""
    reads_ahead: bool = False
    """Of a language model: whether it keeps what it has read, and reading costs nothing but time that is left over."""
    realtime: bool = False
    """Of a language model: whether it is one that speaks by itself, with a voice of its own."""
    fallbacks: tuple[Endpoint, ...] = ()
    """Who is asked where this one fails, in their order."""
    voice: Voice | None = None
    """Of a fallback's speech: its own, in place of the agent's."""

    @property
    def is_somebodys_own(self) -> bool:
        """Whether it is served by somebody's own server: neither by the provider itself nor by the local one."""
        return self.base_url is not None and not self.reads_ahead

    @field_serializer("api_key", when_used="json")
    def _reveal(self, key: SecretStr) -> str:
        return key.get_secret_value()  # the wire is the one place that carries it


class Example(Model):
    """How an agent answers, once: what it is asked, and what it says."""

    asked: str
    answer: str


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
    role: str = ""
    """What it is in the meeting; people may call it by that."""
    persona: str = ""
    """How its persona begins, which may say what it is."""
    also_called: tuple[str, ...] = ()
    """Other names that people may call it by."""


class OpenQuestions(StrEnum):
    """What becomes of a question to nobody in particular, where several people are in the room."""

    ANSWER = "answer"
    """One agent answers at once."""
    WAIT = "wait"
    """One agent answers, unless a person does before."""
    IGNORE = "ignore"
    """It is left to the people."""


class MeetingRules(Model):
    """How the chair runs the meeting."""

    floor: FloorMode = FloorMode.ADDRESSED
    max_agent_turns: int | None = 4
    """Agent turns in a row before a human must speak; None = no limit."""
    opening: str | None = None
    """Identity of the agent that greets the first human, or that starts a meeting of agents alone."""
    open_questions: OpenQuestions = OpenQuestions.WAIT
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
    here: tuple[str, ...] | None = None
    """Of a line that says who came or left: what the people are called who are in the room since. Such lines are state:
    the newest tells it all, and none of them is talk."""
