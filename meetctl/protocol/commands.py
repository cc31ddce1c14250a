"""Down the wire: what the supervisor tells a child. The first line is always an `Assignment`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_serializer

from meetctl.protocol.tools import Decided, ToolRules
from meetctl.protocol.values import CastMember, Endpoint, Example, Face, Line, MeetingRules, Model, Voice

SCHEMA_VERSION = 1


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
    examples: tuple[Example, ...] = ()
    """Of how it answers; none = such as are made of the persona, where the model is a small one."""
    language: str | None = None
    """A code, or `auto` for whichever is spoken; None = nobody said."""
    llm: Endpoint | None = None
    tts: Endpoint | None = None
    stt: Endpoint | None = None
    voice: Voice = Voice()
    face: Face | None = None
    tools: ToolRules | None = None
    """None = it only talks."""
    transcript: tuple[Line, ...] = ()
    cast: tuple[CastMember, ...] = ()
    """The chair needs all of it; an agent, the others' names."""
    rules: MeetingRules = MeetingRules()
    """The chair's; to an agent they are for information."""
    tells_steps: bool = False
    """Whether it is to tell what it does when it starts, as `Step`s."""

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


Command = Assignment | CastChanged | Say | Ask | Tell | GiveFloor | Mute | Decided | Stop
AgentCommand = Annotated[Command, Field(discriminator="type")]
