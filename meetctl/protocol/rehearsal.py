"""The wire of a rehearsal: what the scripted people are to do, and the facts that come back. Values only, no I/O.

The player (`meetctl_agents.player`) reads one `Script` as its first line and reports each fact inside an `Observed`.
It measures and does not judge: what was expected, it never learns. All times are seconds since the play began.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, TypeAdapter, field_serializer

from meetctl.protocol import Model, Observed


class Act(StrEnum):
    """What a step is."""

    SAYS = "says"
    WRITES = "writes"
    JOINS = "joins"
    LEAVES = "leaves"
    WAITS = "waits"
    KILLS = "kills"
    """Done by whoever reads the facts: the player only waits for its `Cue`."""


# --- down ----------------------------------------------------------------------------------------------------------


class Ticket(Model):
    """One way into the room."""

    identity: str
    token: SecretStr

    @field_serializer("token", when_used="json")
    def _reveal(self, token: SecretStr) -> str:
        return token.get_secret_value()  # the wire is the one place that carries it


class ScriptedPerson(Model):
    """Somebody who will be played."""

    name: str
    voice: str
    """As the local model server understands it: `alto`, or `pitch=1.05,formant=0.95`."""
    here: bool = True
    """Whether in the room before the first step."""
    tickets: tuple[Ticket, ...]
    """One for each time of joining, in order: who comes back is a new participant, as on the join page."""


class ScriptedStep(Model):
    """One step; the next begins when it is over."""

    act: Act
    person: str = ""
    text: str = ""
    seconds: float = 0.0
    while_speaking: bool = False
    """Begins while an agent can be heard, not when all are silent."""
    awaits: tuple[str, ...] = ()
    """Identities of the agents without whose answer it is not over."""
    patience_s: float = 15.0
    """For each awaited answer to begin."""
    hands_over: bool = False
    """Over as soon as an agent can be heard: the next step begins while it speaks."""


class Script(Model):
    """The player's first line."""

    type: Literal["script"] = "script"
    url: str
    models_url: str
    """Of the local model server, without `/v1`."""
    ear: Ticket
    """Who listens; no person, so nobody answers it."""
    agents: tuple[str, ...]
    """Identities of those to listen to."""
    people: tuple[ScriptedPerson, ...]
    steps: tuple[ScriptedStep, ...]

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Returns every way into the room that it holds."""
        return (self.ear, *(ticket for person in self.people for ticket in person.tickets))


class Cue(Model):
    """A step that others carry out is done; go on."""

    type: Literal["cue"] = "cue"
    step: int


# --- up ------------------------------------------------------------------------------------------------------------


class Prepared(Model):
    """Every sentence is spoken into memory, everybody who begins in the room is heard there."""

    fact: Literal["prepared"] = "prepared"


class StepBegan(Model):
    fact: Literal["step_began"] = "step_began"
    step: int
    at: float


class Spoke(Model):
    """A person talked (or wrote: then it took no time)."""

    fact: Literal["spoke"] = "spoke"
    step: int
    identity: str
    began: float
    """The first sample that is not silence left the microphone; likewise the last."""
    ended: float


class Missed(Model):
    """The step could not be played as written; it was left out."""

    fact: Literal["missed"] = "missed"
    step: int
    why: str


class StepEnded(Model):
    fact: Literal["step_ended"] = "step_ended"
    step: int
    at: float


class Heard(Model):
    """A stretch of an agent's sound, pauses shorter than a breath included."""

    fact: Literal["heard"] = "heard"
    identity: str
    began: float
    ended: float


class Captioned(Model):
    """Words on `lk.transcription`, complete; those of a segment that was shown before take the place of the earlier."""

    fact: Literal["captioned"] = "captioned"
    identity: str
    segment: str
    text: str
    began: float
    """When the first of them arrived."""


class Played(Model):
    """The last step is over."""

    fact: Literal["played"] = "played"
    at: float


Fact = Prepared | StepBegan | Spoke | Missed | StepEnded | Heard | Captioned | Played

_FACT: TypeAdapter[Fact] = TypeAdapter(Annotated[Fact, Field(discriminator="fact")])
_ORDER: TypeAdapter[Script | Cue] = TypeAdapter(Annotated[Script | Cue, Field(discriminator="type")])


def observed(fact: Fact) -> Observed:
    """Returns the fact as a line of the wire."""
    return Observed(fact=fact.model_dump(mode="json"))


def parse_fact(event: Observed) -> Fact:
    """Returns the fact of an event; raises pydantic's ValidationError if it is none."""
    return _FACT.validate_python(event.fact)


def parse_order(line: bytes) -> Script | Cue:
    """Returns the order of one line; raises pydantic's ValidationError if it is none."""
    return _ORDER.validate_json(line)
