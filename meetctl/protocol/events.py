"""Up the wire: what a child tells its supervisor, as facts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from meetctl.protocol.floor import Unsaid
from meetctl.protocol.tools import ToolCall
from meetctl.protocol.usage import Usage, UsageKind, amount_of, summed
from meetctl.protocol.values import AgentSpeech, IceState, Line, MediaKind, Model


class Ready(Model):
    """Joined the room and publishing."""

    type: Literal["ready"] = "ready"


class Serving(Model):
    """From a stand-in: it answers at this address."""

    type: Literal["serving"] = "serving"
    url: str


class Step(Model):
    """One step of what a process does, for a timeline; told only where the meeting is asked for one."""

    type: Literal["step"] = "step"
    name: str
    began: float
    """Monotonic seconds of this machine, as `ended`."""
    ended: float


class PictureCost(Model):
    """From the local Simli server: what one picture of a face costs on this machine."""

    type: Literal["picture_cost"] = "picture_cost"
    ms: float
    """Of a core: drawn, encoded, decoded and encoded again."""


class LegStats(Model):
    """One leg, over the last two seconds; what cannot be measured is None."""

    type: Literal["leg_stats"] = "leg_stats"
    leg: Literal["room", "simli"]
    ice: IceState
    video_fps: float | None = None
    """Room leg: frames sent; simli leg: frames received."""
    audio_fps: float | None = None
    """RTP audio packets a second: 50 of sound, about 5 of silence."""
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


class UsageTotals(Model):
    """Running totals since this process began: of some kinds by name, and of everything in `used`."""

    type: Literal["usage"] = "usage"
    avatar_seconds: float = 0
    llm_tokens: int = 0
    tts_characters: int = 0
    used: tuple[Usage, ...] = ()
    """By what it was used for. A program of somebody's own may leave it out and tell the totals alone."""

    @classmethod
    def of(cls, used: Iterable[Usage]) -> UsageTotals:
        """Returns the totals of these records."""
        used = summed(used)
        return cls(
            avatar_seconds=amount_of(used, UsageKind.AVATAR_SECONDS),
            llm_tokens=round(amount_of(used, UsageKind.LLM_TOKENS)),
            tts_characters=round(amount_of(used, UsageKind.TTS_CHARACTERS)),
            used=used,
        )

    @property
    def records(self) -> tuple[Usage, ...]:
        """All of it as records; of a kind of which `used` has none, the total is one."""
        named = {
            UsageKind.AVATAR_SECONDS: self.avatar_seconds,
            UsageKind.LLM_TOKENS: self.llm_tokens,
            UsageKind.TTS_CHARACTERS: self.tts_characters,
        }
        told = {one.kind for one in self.used}
        rest = (Usage(kind=kind, amount=total) for kind, total in named.items() if total and kind not in told)
        return (*self.used, *rest)


class Repeats(Model):
    """Running totals since this process began: turns with words of the agent's own, and what was kept from them."""

    type: Literal["repeats"] = "repeats"
    answers: int = 0
    shortened: int = 0
    """A sentence that was said before was left out, and there was something new beside it."""
    asked_again: int = 0
    """Nothing was new, so that the model was asked once more."""
    left_out: int = 0
    """Nothing was new then either, so that nothing was said."""


class Warn(Model):
    """Something a person should know; nothing stops."""

    type: Literal["warning"] = "warning"
    message: str
    hint: str | None = None
    about: str | None = None
    """What fails, where its end is told: by a `Recovered` of the same; None = nobody will say when it is over."""


class Recovered(Model):
    """What an earlier warning was about works again."""

    type: Literal["recovered"] = "recovered"
    about: str


class Degraded(Model):
    """The agent goes on with less; None = it has everything again."""

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


class LastWords(Model):
    """From an agent that goes: what it said last, where no chair took it down."""

    type: Literal["last_words"] = "last_words"
    line: Line


class FloorChanged(Model):
    """From the chair: who holds the floor, None = nobody."""

    type: Literal["floor_changed"] = "floor_changed"
    holder: str | None


class FloorDecided(Model):
    """From the chair: for whom a person's line was taken to be meant, and why."""

    type: Literal["floor_decided"] = "floor_decided"
    line_id: str
    speaker: str
    """Identity of the person."""
    rule: str
    """By which it was decided, see `docs/addressing.md`."""
    agents: tuple[str, ...] = ()
    """Identities of those it was taken to be meant for, in order; none = nobody, or one by turn."""
    candidates: tuple[str, ...] = ()
    """Identities of those, people too, whom the words named or who came into question."""
    judge_ms: float | None = None
    """How long a model was asked, where one was."""


class Unanswered(Model):
    """From the chair: a person's question was not answered, though the agent, and who tried after it, had the floor."""

    type: Literal["unanswered"] = "unanswered"
    identity: str
    """The agent that had the floor for it last."""
    line_id: str
    """The question."""
    speaker: str
    """Identity of the person."""
    reason: Unsaid | None = None
    """As far as the agent knows; None = nothing came of it."""


class TurnLatency(Model):
    """From the chair: one answered turn, milliseconds by stage."""

    type: Literal["turn_latency"] = "turn_latency"
    identity: str
    stages_ms: dict[str, float]
    line_id: str | None = None
    """The transcript's line that was the answer; None = the last one of that agent."""


class Observed(Model):
    """From the scripted people of a rehearsal: one fact, in the words of `meetctl.protocol.rehearsal`."""

    type: Literal["observed"] = "observed"
    fact: dict[str, JsonValue]


Event = (
    Ready
    | Serving
    | Step
    | PictureCost
    | LegStats
    | SpeechState
    | AvOffset
    | AvatarSession
    | UsageTotals
    | Repeats
    | Warn
    | Recovered
    | Degraded
    | Failed
    | MediaReceived
    | Utterance
    | LastWords
    | FloorChanged
    | FloorDecided
    | Unanswered
    | TurnLatency
    | ToolCall
    | Observed
)
AgentEvent = Annotated[Event, Field(discriminator="type")]
