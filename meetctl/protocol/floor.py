"""Between chair and agents: LiveKit RPC under `mc.`, believed only from the chair, or at the chair from the cast."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from meetctl.protocol.values import CastMember, Line, Model

HEAR = "mc.hear"
PREPARE = "mc.prepare"
GRANT = "mc.grant"
STOP = "mc.stop"
RELEASE = "mc.release"
DRAFT = "mc.draft"
REGISTER = "mc.register"
WANT = "mc.want"
HAND_OVER = "mc.hand_over"
PRECONNECT_AUDIO = "mc.first_words"

STILL_LOADING = "granted, and the model is still being loaded"
"""An agent's answer to a grant: it will speak, but not as soon as usual."""

CHAIR_METHODS = (HEAR, PREPARE, GRANT, STOP)
"""Served by an agent, believed only from the chair."""
AGENT_METHODS = (RELEASE, DRAFT, REGISTER, WANT, HAND_OVER)
"""Served by the chair, believed only from the cast (`mc.register`: from participants of kind agent)."""
PERSON_METHODS = (PRECONNECT_AUDIO,)
"""Served by a person's page, believed only from the chair."""

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
    heard: tuple[Line, ...] = ()
    """What was said before and may not have reached the agent yet, oldest first; it may be told the same again."""


class StopSpeaking(Model):
    """Chair to agent: fall silent now and release the floor."""

    grant_id: str


class Unsaid(StrEnum):
    """Why an agent that holds the floor says nothing."""

    NOTHING_NEW = "nothing-new"
    """All that its model wrote was said before."""
    LIMITED = "limited"
    """The model's provider has it wait, or its account is used up."""
    LOADING = "loading"
    FAILED = "failed"
    """Its model or its voice failed."""


class Release(Model):
    """Agent to chair: the turn is over."""

    grant_id: str
    text: str
    """What was really spoken."""
    interrupted: bool = False
    started_at: float | None = None
    """Unix time, seconds, when sound began; None = nothing was heard."""
    stages_ms: dict[str, float] = Field(default_factory=dict)
    unsaid: Unsaid | None = None
    """Why nothing was said, where somebody waits for an answer; None = something was, or it was told to be silent."""


class Draft(Model):
    """Agent to chair: what the turn will have said once it has been heard; whoever is next may prepare.

    A later one of the same turn replaces it. Of an agent that is killed, the transcript has what of it was heard.
    """

    grant_id: str
    text: str
    whole: bool = True
    """False while more is being written."""


class Want(Model):
    """Agent to chair: give me the floor when it is free, with this line; what I waited for has come."""

    line: Line
    """Its own, and a fact: it comes back in the grant, and nobody else is told of it."""


class HandOver(Model):
    """Agent that holds the floor to chair: let another one answer in my place, and tell it this."""

    to: str
    """Name or identity."""
    note: str = ""
    """For that agent alone."""


class Register(Model):
    """Agent to chair: take me into the cast."""

    member: CastMember


class KeptFor(Model):
    """Chair to a person's page: what was said into this microphone before it could be heard? Answered by a recording.

    The answer is base64 of what a browser's MediaRecorder made (WebM or MP4), or empty; each is given once.
    """

    track_sid: str
