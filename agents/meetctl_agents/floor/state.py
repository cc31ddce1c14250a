"""The state of the floor, and who may speak next by it. Values and pure questions; `machine.py` changes it."""

from __future__ import annotations

from dataclasses import dataclass

from meetctl.protocol import CastMember, Line, MeetingRules, Speaks, Unsaid

DEFAULT_RULES = MeetingRules()


@dataclass(frozen=True, slots=True)
class FloorRequest:
    """An agent that is to speak as soon as it can have the floor."""

    identity: str
    line: Line | None
    """What to answer; None = of its own accord."""
    verbatim: str | None = None
    directed: bool = False
    """Somebody outside asked for it: it is heard even where nobody else would be granted the floor."""
    is_by_turn: bool = False
    """Nobody was named: another one may answer in its place."""
    is_aside: bool = False
    """Nothing was asked; whoever is called meanwhile comes in its place."""
    was_heard: bool = False
    """Something of the turn was heard before it was cut off."""
    tries: int = 0
    """How often somebody had the floor for it and was not heard."""


@dataclass(frozen=True, slots=True)
class FloorHold:
    """The floor, given."""

    grant_id: str
    request: FloorRequest
    deadline: float
    cut: bool = False
    sounded: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """An agent that is gone was asked something, and answers it if it is back by then."""

    request: FloorRequest
    unsaid: Unsaid | None
    due: float


@dataclass(frozen=True, slots=True)
class Consultation:
    """The moderator is being asked who speaks next."""

    number: int
    line: Line
    deadline: float


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Asked of the room; an agent answers where no person has by then."""

    line: Line
    due: float


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything the next decision depends on."""

    run: str
    """Begins every grant id, so that a chair that was restarted never gives one twice."""
    rules: MeetingRules = DEFAULT_RULES
    cast: tuple[CastMember, ...] = ()
    here: frozenset[str] = frozenset()
    """Agents in the room."""
    muted: frozenset[str] = frozenset()
    humans: frozenset[str] = frozenset()
    talking: tuple[tuple[str, float], ...] = ()
    """Who talks and since when; a person twice whose next words began before the last were transcribed."""
    hold: FloorHold | None = None
    waiting: tuple[FloorRequest, ...] = ()
    owed: tuple[Owed, ...] = ()
    cut_off: FloorRequest | None = None
    """The turn that the present talk ended: unless it names another agent, the talk is meant for this one."""
    open: OpenQuestion | None = None
    consulting: Consultation | None = None
    consultations: int = 0
    agent_turns: int = 0
    last_by_turn: str | None = None
    opened: bool = False
    """Somebody has spoken: nobody opens the meeting any more."""
    openings: int = 0
    nudge_at: float | None = None
    """Where nobody speaks until then and somebody should, somebody is given the floor."""
    grants: int = 0

    @property
    def holder(self) -> str | None:
        return self.hold.request.identity if self.hold else None

    @property
    def alone(self) -> bool:
        """Whether agents are to talk among themselves: no human is there, and none is needed."""
        return self.rules.agents_alone and not self.humans

    @property
    def attended(self) -> bool:
        """Whether there is anybody to speak to."""
        return bool(self.humans) or self.rules.agents_alone

    @property
    def exhausted(self) -> bool:
        """Whether agents have talked for so long that a human must speak first."""
        most = self.rules.max_agent_turns
        return most is not None and self.agent_turns >= most


def may_speak(floor: Floor, identity: str, *, addressed: bool) -> bool:
    """Returns whether the agent may be given the floor: when named, or else of its own."""
    allowed = (Speaks.FREELY, Speaks.ON_ADDRESS) if addressed else (Speaks.FREELY,)
    return identity not in floor.muted and any(
        member.identity == identity and member.serves_floor and member.speaks in allowed for member in floor.cast
    )


def may_be_directed(floor: Floor, identity: str) -> bool:
    """Returns whether somebody outside may have the agent speak."""
    return identity not in floor.muted and any(
        member.identity == identity and member.serves_floor for member in floor.cast
    )


def is_of_cast(floor: Floor, identity: str) -> bool:
    """Returns whether that is an agent's identity, and no person's."""
    return any(member.identity == identity for member in floor.cast)


def by_turn(floor: Floor, *, but: str | None = None, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Returns those who may speak, the one whose turn is next first; those who only answer, where they are named.

    Those who are not in the room come only where nobody is: a seat may be empty for the moment.
    """
    order = [member.identity for member in floor.cast]
    if floor.last_by_turn in order:
        after = order.index(floor.last_by_turn) + 1
        order = order[after:] + order[:after]
    able = [name for name in order if name != but and may_speak(floor, name, addressed=name in named)]
    return tuple([name for name in able if name in floor.here] or able)


def opener(floor: Floor) -> str | None:
    """Returns who is to open the meeting now; None = nobody, or not yet."""
    if floor.opened or not floor.attended:
        return None
    wanted = floor.rules.opening or (next(iter(by_turn(floor)), None) if floor.alone else None)
    able = wanted is not None and wanted in floor.here and may_speak(floor, wanted, addressed=True)
    return wanted if able else None
