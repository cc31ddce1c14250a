"""What happens to the floor and what the chair is to do about it. Values only; `machine.py` decides."""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.protocol import CastMember, Line, Unsaid

# --- what happened -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CastSet:
    """Agents were added or taken away."""

    cast: tuple[CastMember, ...]


@dataclass(frozen=True, slots=True)
class HumanCame:
    identity: str


@dataclass(frozen=True, slots=True)
class HumanLeft:
    identity: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """A human makes speech sounds; ended by exactly one `UtteranceFinal` or `NothingSaid`, or by `HumanLeft`."""

    identity: str


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """The sounds were no words, or words that only say "I am listening"."""

    identity: str


@dataclass(frozen=True, slots=True)
class UtteranceFinal:
    """A human's words. `spoken` is False for what is typed, which no `SpeechStarted` precedes."""

    line: Line
    addressed: tuple[str, ...] = ()
    """Identities of the agents it names, in order."""
    spoken: bool = True
    dismisses: bool = False
    """It only tells whoever was talking to stop."""
    excluded: tuple[str, ...] = ()
    """Identities of the agents that are not to answer, what was granted them before either."""
    to_nobody: bool = False
    """It is meant for people, or for nobody: no agent answers."""
    to_the_room: bool = False
    """People are asked as well as agents: they are left time to answer first."""
    is_aside: bool = False
    """Said into the agent's turn, without asking anything: whom somebody else calls meanwhile answers instead."""


@dataclass(frozen=True, slots=True)
class StillLoading:
    """An agent has the floor, and its model has to be loaded before it can speak."""

    identity: str
    grant_id: str


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """An agent can be heard."""

    identity: str


@dataclass(frozen=True, slots=True)
class Released:
    """An agent's turn is over."""

    identity: str
    grant_id: str
    line: Line | None
    """What it said, None = nothing."""
    addressed: tuple[str, ...] = ()
    unsaid: Unsaid | None = None
    """Why it said nothing, as far as it knows."""


@dataclass(frozen=True, slots=True)
class Overheard:
    """An agent outside the floor, which has a voice of its own, said something."""

    line: Line
    addressed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentCame:
    """It is in the room."""

    identity: str


@dataclass(frozen=True, slots=True)
class AgentGone:
    """It left the room."""

    identity: str


@dataclass(frozen=True, slots=True)
class Directed:
    """Somebody who may direct the meeting has that agent speak next."""

    identity: str
    verbatim: str | None = None
    """These very words; None = an answer, or of its own accord."""
    line: Line | None = None
    """What to answer."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The agent that holds the floor has another one answer in its place."""

    identity: str
    to: str


@dataclass(frozen=True, slots=True)
class Muted:
    """Somebody who may direct the meeting took an agent's voice away, or gave it back."""

    identity: str
    muted: bool


@dataclass(frozen=True, slots=True)
class Picked:
    """The moderator's answer to a `Consult`."""

    number: int
    identity: str | None
    """None = nobody is to speak."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """The moderator failed at a `Consult`."""

    number: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


Event = (
    CastSet
    | HumanCame
    | HumanLeft
    | SpeechStarted
    | NothingSaid
    | UtteranceFinal
    | StillLoading
    | PlaybackStarted
    | Released
    | Overheard
    | AgentCame
    | AgentGone
    | Directed
    | HandedOver
    | Muted
    | Picked
    | Undecided
    | Tick
)

# --- what to do ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GrantFloor:
    """Grant the floor."""

    identity: str
    grant_id: str
    line: Line | None
    """What to answer; None = speak of its own accord."""
    verbatim: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeFloor:
    """Silence the holder."""

    identity: str
    grant_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody else, or nobody, holds the floor now."""

    holder: str | None


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask the moderator who speaks after this line; answered by one `Picked` or `Undecided`, or not in time."""

    number: int
    line: Line
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeverAnswered:
    """Tell people that an agent says nothing, though it had the floor."""

    identity: str
    line: Line | None
    """What it was asked by a person; None = nobody asked."""
    unsaid: Unsaid | None
    """Why, as far as it knows."""


Action = GrantFloor | RevokeFloor | Changed | Consult | NeverAnswered
