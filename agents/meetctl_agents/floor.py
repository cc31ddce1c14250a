"""The floor: who may speak. A pure state machine; what happened goes in, what the chair is to do comes out.

One agent holds the floor at a time, and only while a human is there and none is talking. A human who begins to talk
cuts the holder off. The machine knows no clock, no room and no text: times come with the events, and who is addressed
is found out beforehand (`addressing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from meetctl.protocol import CastMember, Line, Speaks

from .floor_events import (
    Action,
    AgentGone,
    CastSet,
    Changed,
    Cut,
    Event,
    Give,
    HumanCame,
    HumanLeft,
    NothingSaid,
    Released,
    Said,
    Sounded,
    TalkBegan,
    Tick,
)

MOST_AGENT_TURNS = 4
"""Turns of agents in a row before a human must speak; it ends every loop of agents talking to agents."""
SILENT_S = 25.0
"""From the grant to the first sound: two attempts of a model, ten seconds each. Runs out where the agent hangs."""
LONGEST_S = 75.0
"""A turn that sounds; agents cut themselves short after a minute at the latest."""
RELEASE_S = 1.5
"""From being cut off to the release; measured 10 to 30 ms. Runs out where the agent is dead."""
TALK_S = 30.0
"""A person who never pauses (a radio, a fan) no longer holds back the others after this."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An agent that is to answer a line as soon as it can have the floor."""

    identity: str
    line: Line


@dataclass(frozen=True, slots=True)
class Holding:
    """The floor, given."""

    grant_id: str
    wish: Wish
    deadline: float
    cut: bool = False
    sounded: bool = False


@dataclass(frozen=True, slots=True)
class Floor:
    """Everything the next decision depends on."""

    run: str
    """Begins every grant id, so that a chair that was restarted never gives one twice."""
    cast: tuple[CastMember, ...] = ()
    humans: frozenset[str] = frozenset()
    talking: tuple[tuple[str, float], ...] = ()
    """Who talks and since when; a person twice whose next words began before the last were transcribed."""
    holding: Holding | None = None
    waiting: tuple[Wish, ...] = ()
    cut_off: Wish | None = None
    """The turn that the present talk ended: unless it names another agent, the talk is meant for this one."""
    agent_turns: int = 0
    last_by_turn: str | None = None
    grants: int = 0

    @property
    def holder(self) -> str | None:
        return self.holding.wish.identity if self.holding else None


def step(floor: Floor, event: Event, now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Returns the floor after the event and what to do, in order. `now` is monotonic, seconds."""
    floor, actions = _apply(floor, event, now)
    floor, expired = _expire(floor, now)
    floor, given = _settle(floor, now)
    return floor, (*actions, *expired, *given)


def next_deadline(floor: Floor) -> float | None:
    """Returns when a `Tick` is due; None = nothing is running out."""
    due = [since + TALK_S for _, since in floor.talking] if floor.waiting else []
    if floor.holding:
        due.append(floor.holding.deadline)
    return min(due, default=None)


def _apply(floor: Floor, event: Event, now: float) -> tuple[Floor, tuple[Action, ...]]:
    match event:
        case CastSet(cast):
            present = {member.identity for member in cast}
            floor = replace(floor, cast=cast, waiting=tuple(w for w in floor.waiting if w.identity in present))
            return _revoked(floor) if floor.holder not in (None, *present) else (floor, ())
        case HumanCame(identity):
            return replace(floor, humans=floor.humans | {identity}), ()
        case HumanLeft(identity):
            return _without_human(floor, identity), ()
        case TalkBegan(identity):
            return _cut(replace(floor, talking=(*floor.talking, (identity, now))), now)
        case NothingSaid(identity):
            floor = _fell_silent(floor, identity)
            if floor.cut_off is None or floor.talking:
                return floor, ()
            return replace(floor, waiting=(floor.cut_off, *floor.waiting), cut_off=None), ()
        case Said():
            return _said(floor, event, now)
        case Sounded(identity):
            held = floor.holding
            if held is None or held.wish.identity != identity or held.cut or held.sounded:
                return floor, ()
            return replace(floor, holding=replace(held, sounded=True, deadline=now + LONGEST_S)), ()
        case Released():
            return _released(floor, event)
        case AgentGone(identity):
            floor = replace(floor, waiting=tuple(w for w in floor.waiting if w.identity != identity))
            return _revoked(floor) if floor.holder == identity else (floor, ())
        case Tick():
            return floor, ()
        case _:
            assert_never(event)


def _said(floor: Floor, said: Said, now: float) -> tuple[Floor, tuple[Action, ...]]:
    line = said.line
    if said.spoken:
        floor = _fell_silent(floor, line.identity)
    cut_off = floor.cut_off
    floor = replace(floor, agent_turns=0, cut_off=None)
    if said.dismisses and not said.addressed and (cut_off is not None or floor.holding is not None):
        floor, actions = _cut(replace(floor, waiting=()), now)
        return replace(floor, cut_off=None), actions
    others = tuple(wish for wish in floor.waiting if wish.line.identity != line.identity)
    if said.addressed:
        wishes = tuple(Wish(name, line) for name in said.addressed if _may_speak(floor, name, addressed=True))
        floor = replace(floor, waiting=(*others, *wishes))
        return _cut(floor, now)
    if cut_off is not None:
        return replace(floor, waiting=(Wish(cut_off.identity, line), *others)), ()
    if others or (floor.holding and not floor.holding.cut):
        return floor, ()  # a remark to nobody does not take an answer away from somebody
    chosen = _next_by_turn(floor)
    if chosen is None:
        return replace(floor, waiting=()), ()
    return replace(floor, waiting=(Wish(chosen, line),), last_by_turn=chosen), ()


def _released(floor: Floor, released: Released) -> tuple[Floor, tuple[Action, ...]]:
    held = floor.holding
    if held is None or (held.grant_id, held.wish.identity) != (released.grant_id, released.identity):
        return floor, ()  # too late: the floor was taken away
    floor, actions = _revoked(floor)
    if released.line is None or released.line.interrupted or floor.waiting or floor.talking:
        return floor, actions
    line = released.line
    named = [name for name in released.addressed if name != line.identity and _may_speak(floor, name, addressed=True)]
    return replace(floor, waiting=tuple(Wish(name, line) for name in named[:1])), actions


def _cut(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    held = floor.holding
    if held is None or held.cut:
        return floor, ()
    cut = replace(held, cut=True, deadline=now + RELEASE_S)
    return replace(floor, holding=cut, cut_off=held.wish), (Cut(held.wish.identity, held.grant_id),)


def _expire(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    held = floor.holding
    if held is None or now < held.deadline:
        return floor, ()
    cut = () if held.cut else (Cut(held.wish.identity, held.grant_id),)
    floor, actions = _revoked(floor)
    return floor, (*cut, *actions)


def _settle(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    if floor.holding or not floor.waiting or not floor.humans:
        return floor, ()
    if any(now - since < TALK_S for _, since in floor.talking):
        return floor, ()
    if floor.agent_turns >= MOST_AGENT_TURNS:
        return replace(floor, waiting=()), ()
    wish, *rest = floor.waiting
    grant_id = f"{floor.run}-{floor.grants + 1}"
    floor = replace(
        floor,
        holding=Holding(grant_id, wish, now + SILENT_S),
        waiting=tuple(rest),
        agent_turns=floor.agent_turns + 1,
        grants=floor.grants + 1,
        cut_off=None,
    )
    return floor, (Give(wish.identity, grant_id, wish.line), Changed(wish.identity))


def _revoked(floor: Floor) -> tuple[Floor, tuple[Action, ...]]:
    return replace(floor, holding=None), (Changed(None),)


def _without_human(floor: Floor, identity: str) -> Floor:
    humans = floor.humans - {identity}
    talking = tuple((who, since) for who, since in floor.talking if who != identity)
    return replace(floor, humans=humans, talking=talking, waiting=floor.waiting if humans else ())


def _fell_silent(floor: Floor, identity: str) -> Floor:
    talking = list(floor.talking)
    for index, (who, _) in enumerate(talking):
        if who == identity:
            del talking[index]
            break
    return replace(floor, talking=tuple(talking))


def _may_speak(floor: Floor, identity: str, *, addressed: bool) -> bool:
    allowed = (Speaks.FREELY, Speaks.ON_ADDRESS) if addressed else (Speaks.FREELY,)
    return any(
        member.identity == identity and member.serves_floor and member.speaks in allowed for member in floor.cast
    )


def _next_by_turn(floor: Floor) -> str | None:
    order = [member.identity for member in floor.cast]
    if floor.last_by_turn in order:
        after = order.index(floor.last_by_turn) + 1
        order = order[after:] + order[:after]
    return _first(identity for identity in order if _may_speak(floor, identity, addressed=False))


def _first(identities: Iterable[str]) -> str | None:
    return next(iter(identities), None)
