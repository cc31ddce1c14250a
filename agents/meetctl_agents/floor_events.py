"""What happens to the floor and what the chair is to do about it. Values only; `floor.py` decides."""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.protocol import CastMember, Line

# --- what happened -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CastSet:
    """Agents came or went."""

    cast: tuple[CastMember, ...]


@dataclass(frozen=True, slots=True)
class HumanCame:
    identity: str


@dataclass(frozen=True, slots=True)
class HumanLeft:
    identity: str


@dataclass(frozen=True, slots=True)
class TalkBegan:
    """A human makes speech sounds; ended by exactly one `Said` or `NothingSaid`, or by `HumanLeft`."""

    identity: str


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """The sounds were no words."""

    identity: str


@dataclass(frozen=True, slots=True)
class Said:
    """A human's words. `spoken` is False for chat, which no `TalkBegan` precedes."""

    line: Line
    addressed: tuple[str, ...] = ()
    """Identities of the agents it names, in order."""
    spoken: bool = True
    dismisses: bool = False
    """It only tells whoever was talking to stop."""


@dataclass(frozen=True, slots=True)
class Sounded:
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


@dataclass(frozen=True, slots=True)
class AgentGone:
    """It left, or could not be reached."""

    identity: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed."""


Event = CastSet | HumanCame | HumanLeft | TalkBegan | NothingSaid | Said | Sounded | Released | AgentGone | Tick

# --- what to do ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Give:
    """Grant the floor."""

    identity: str
    grant_id: str
    line: Line


@dataclass(frozen=True, slots=True)
class Cut:
    """Silence the holder."""

    identity: str
    grant_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody else, or nobody, holds the floor now."""

    holder: str | None


Action = Give | Cut | Changed
