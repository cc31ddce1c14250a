"""The floor: who may speak. A pure state machine; what happened goes in, what the chair is to do comes out.

One agent holds the floor at a time, and none while a human talks. A human who begins to talk cuts the holder off.
Without a human nobody speaks, unless the meeting is one of agents alone. The machine knows no clock, no room and no
text: times come with the events, and who is addressed is found out beforehand (`addressing/`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from meetctl.protocol import Line, Unsaid

from .events import (
    Action,
    AgentCame,
    AgentGone,
    CastSet,
    Changed,
    Directed,
    Event,
    GrantFloor,
    HandedOver,
    HumanCame,
    HumanLeft,
    Muted,
    NothingSaid,
    Overheard,
    Picked,
    PlaybackStarted,
    Released,
    RevokeFloor,
    SpeechStarted,
    StillLoading,
    Tick,
    Undecided,
    UtteranceFinal,
)
from .modes import after_agent, after_human, decided, one_by_turn, undecided
from .state import Floor, FloorHold, FloorRequest, by_turn, is_of_cast, may_be_directed, may_speak, opener
from .unanswered import overdue, returned, superseded, unheard

SILENT_S = 25.0
"""From the grant to the first sound: two attempts of a model, ten seconds each. Runs out where the agent hangs."""
LOADING_S = 66.0
"""The same where a model is loaded first: it has a minute for its first answer."""
LONGEST_S = 75.0
"""A turn that sounds; agents cut themselves short after a minute at the latest."""
RELEASE_S = 1.5
"""From being cut off to the release; measured 10 to 30 ms. Runs out where the agent is dead."""
TALK_S = 30.0
"""A person who never pauses (a radio, a fan) no longer holds back the others after this."""
NUDGE_S = 2.0
"""Until an agent that could not open the meeting, or go on alone, is tried again, or another one."""
MOST_OPENINGS = 8
"""An agent that cannot speak at all must not be asked to for ever."""


def step(floor: Floor, event: Event, now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Returns the floor after the event and what to do, in order. `now` is monotonic, seconds."""
    floor, actions = _apply(floor, event, now)
    floor, expired = _expire(floor, now)
    floor, given = _settle(floor, now)
    return floor, (*actions, *expired, *given)


def next_deadline(floor: Floor, now: float) -> float | None:
    """Returns when a `Tick` is due; None = nothing is running out. What is overdue waits for an event, not for time."""
    due = [since + TALK_S for _, since in floor.talking] + [owed.due for owed in floor.owed]
    if floor.hold:
        due.append(floor.hold.deadline)
    if floor.consulting:
        due.append(floor.consulting.deadline)
    if floor.open and not floor.talking:
        due.append(floor.open.due)
    if floor.nudge_at is not None:
        due.append(floor.nudge_at)
    return min((at for at in due if at > now), default=None)


def next_request(floor: Floor, event: Event, now: float) -> FloorRequest | None:
    """Returns who would speak next if that happened now; nothing happens."""
    after, actions = step(floor, event, now)
    if any(isinstance(action, GrantFloor) for action in actions):
        return after.hold.request if after.hold else None
    if after.open and not after.waiting:
        return next(iter(one_by_turn(after, after.open.line)), None)
    return after.waiting[0] if after.waiting else None


def _apply(floor: Floor, event: Event, now: float) -> tuple[Floor, tuple[Action, ...]]:
    match event:
        case CastSet(cast):
            present = {member.identity for member in cast}
            return _without(replace(floor, cast=cast), lambda one: one not in present, now)
        case HumanCame(identity):
            return replace(floor, humans=floor.humans | {identity}), ()
        case HumanLeft(identity):
            return _without_human(floor, identity, now)
        case SpeechStarted(identity):
            return _cut(replace(floor, talking=(*floor.talking, (identity, now))), now)
        case NothingSaid(identity):
            return _given_back(_fell_silent(floor, identity), now)
        case UtteranceFinal():
            return _said(floor, event, now)
        case StillLoading(identity, grant_id):
            return _still_loading(floor, identity, grant_id, now), ()
        case PlaybackStarted(identity):
            return _sounded(floor, identity, now), ()
        case Released():
            return _released(floor, event, now)
        case Overheard(line, addressed):
            floor = replace(floor, opened=True, agent_turns=floor.agent_turns + 1)
            busy = floor.hold or floor.waiting or floor.talking
            return (floor, ()) if busy else after_agent(floor, line, addressed, now)
        case AgentCame(identity):
            return returned(replace(floor, here=floor.here | {identity}), identity), ()
        case AgentGone(identity):
            return _without(replace(floor, here=floor.here - {identity}), lambda one: one == identity, now)
        case Directed(identity, verbatim, line):
            return _directed(floor, identity, verbatim, line), ()
        case HandedOver(identity, to):
            return _handed_over(floor, identity, to), ()
        case Muted(identity, muted):
            return _muted(floor, identity, muted, now)
        case Picked(number, identity):
            return decided(floor, number, identity), ()
        case Undecided(number):
            return undecided(floor, number), ()
        case Tick():
            return floor, ()
        case _:
            assert_never(event)


def _said(floor: Floor, said: UtteranceFinal, now: float) -> tuple[Floor, tuple[Action, ...]]:
    if said.spoken:
        floor = _fell_silent(floor, said.line.identity)
    cut_off = floor.cut_off
    floor = replace(floor, agent_turns=0, cut_off=None, opened=True, open=None, consulting=None, nudge_at=None)
    floor, given_up = superseded(floor, said.line.identity)
    floor, excluded = _excluded(floor, said.excluded, now)
    taken = (*given_up, *excluded)
    if said.dismisses and not said.addressed and (cut_off is not None or floor.hold is not None):
        floor, actions = _cut(replace(floor, waiting=()), now)
        return replace(floor, cut_off=None), (*taken, *actions)
    if cut_off is not None and cut_off.identity in said.excluded:
        cut_off = None
    floor, actions = after_human(floor, said, cut_off, now)
    if said.addressed:
        floor, cut = _cut(floor, now)
        return floor, (*taken, *actions, *cut)
    return floor, (*taken, *actions)


def _excluded(floor: Floor, excluded: tuple[str, ...], now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Takes from these agents what they have, and what they were to have, of the floor."""
    for identity in excluded:
        floor = _unwanted(floor, identity)
    if floor.holder not in excluded:
        return floor, ()
    floor, actions = _cut(floor, now)
    return replace(floor, cut_off=None), actions


def _still_loading(floor: Floor, identity: str, grant_id: str, now: float) -> Floor:
    held = floor.hold
    if held is None or (held.request.identity, held.grant_id) != (identity, grant_id) or held.cut or held.sounded:
        return floor
    return replace(floor, hold=replace(held, deadline=now + LOADING_S))


def _sounded(floor: Floor, identity: str, now: float) -> Floor:
    held = floor.hold
    if held is None or held.request.identity != identity or held.cut or held.sounded:
        return floor
    return replace(floor, opened=True, hold=replace(held, sounded=True, deadline=now + LONGEST_S))


def _released(floor: Floor, released: Released, now: float) -> tuple[Floor, tuple[Action, ...]]:
    held = floor.hold
    if held is None or (held.grant_id, held.request.identity) != (released.grant_id, released.identity):
        return floor, ()  # too late: the floor was taken away
    line = released.line
    if line is None:
        return _lost(floor, now, released.unsaid)
    floor, actions = _revoked(floor, now)
    floor = replace(floor, opened=True, nudge_at=now + NUDGE_S if floor.alone else None)
    if held.cut or line.interrupted or floor.waiting or floor.talking:
        return floor, actions
    floor, consult = after_agent(floor, line, released.addressed, now)
    return floor, (*actions, *consult)


def _directed(floor: Floor, identity: str, verbatim: str | None, line: Line | None) -> Floor:
    if not may_be_directed(floor, identity):
        return floor
    request = FloorRequest(identity, line, verbatim, directed=True)
    return replace(floor, waiting=(request, *floor.waiting), agent_turns=0, opened=True, consulting=None, nudge_at=None)


def _handed_over(floor: Floor, identity: str, to: str) -> Floor:
    """The next turn is the other's, and counts as one of agents in a row: a question does not go round for ever."""
    if floor.hold is None or floor.hold.request.identity != identity or not may_speak(floor, to, addressed=True):
        return floor
    return replace(floor, waiting=(FloorRequest(to, floor.hold.request.line), *floor.waiting))


def _muted(floor: Floor, identity: str, muted: bool, now: float) -> tuple[Floor, tuple[Action, ...]]:
    if not muted:
        return replace(floor, muted=floor.muted - {identity}), ()
    floor = _unwanted(replace(floor, muted=floor.muted | {identity}), identity)
    actions: tuple[Action, ...] = ()
    if floor.holder == identity:
        floor, actions = _cut(floor, now)
    is_theirs = floor.cut_off is not None and floor.cut_off.identity == identity
    return replace(floor, cut_off=None) if is_theirs else floor, actions


def _given_back(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Has the turn that was cut off go on, once nobody talks: what ended it were no words."""
    cut_off = floor.cut_off
    if cut_off is None or floor.talking:
        return floor, ()
    floor = replace(floor, cut_off=None)
    if is_of_cast(floor, cut_off.identity):
        return replace(floor, waiting=(cut_off, *floor.waiting)), ()
    return (floor, ()) if cut_off.was_heard else unheard(floor, cut_off, None, now)


def _cut(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    held = floor.hold
    if held is None or held.cut:
        return floor, ()
    cut = replace(held, cut=True, deadline=now + RELEASE_S)
    request = replace(held.request, was_heard=held.request.was_heard or held.sounded)
    return replace(floor, hold=cut, cut_off=request), (RevokeFloor(held.request.identity, held.grant_id),)


def _expire(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    if floor.consulting and now >= floor.consulting.deadline:
        floor = undecided(floor, floor.consulting.number)
    if floor.open and now >= floor.open.due and not floor.talking:
        floor = replace(floor, waiting=(*floor.waiting, *one_by_turn(floor, floor.open.line)), open=None)
    floor, given_up = overdue(floor, now)
    held = floor.hold
    if held is None or now < held.deadline:
        return floor, given_up
    cut = () if held.cut else (RevokeFloor(held.request.identity, held.grant_id),)
    floor, actions = _revoked(floor, now) if held.sounded else _lost(floor, now)
    return floor, (*given_up, *cut, *actions)


def _settle(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    if floor.hold or any(now - since < TALK_S for _, since in floor.talking):
        return floor, ()
    if not floor.waiting and floor.consulting is None:
        floor = _nudged(floor, now)
    if floor.exhausted:
        # Who tries again tries the same turn again.
        floor = replace(floor, waiting=tuple(one for one in floor.waiting if one.directed or one.tries))
    if not floor.waiting or not (floor.attended or floor.waiting[0].directed):
        return floor, ()
    request, *rest = floor.waiting
    grant_id = f"{floor.run}-{floor.grants + 1}"
    floor = replace(
        floor,
        hold=FloorHold(grant_id, request, now + SILENT_S),
        waiting=tuple(rest),
        agent_turns=floor.agent_turns + (request.tries == 0),
        grants=floor.grants + 1,
        last_by_turn=request.identity,
        cut_off=None,
        nudge_at=None,
    )
    return floor, (GrantFloor(request.identity, grant_id, request.line, request.verbatim), Changed(request.identity))


def _nudged(floor: Floor, now: float) -> Floor:
    """Wishes for somebody to speak where nobody does and somebody should: to open, or to go on alone."""
    if floor.nudge_at is not None and now < floor.nudge_at:
        return floor
    opening = opener(floor)
    if opening is not None and floor.openings < MOST_OPENINGS:
        return replace(floor, waiting=(FloorRequest(opening, None),), openings=floor.openings + 1, nudge_at=None)
    if floor.alone and floor.opened and floor.nudge_at is not None and not floor.exhausted:
        others = by_turn(floor)
        waiting = (FloorRequest(others[0], None),) if others else ()
        return replace(floor, waiting=waiting, nudge_at=None if others else now + NUDGE_S)
    return replace(floor, nudge_at=None)


def _revoked(floor: Floor, now: float) -> tuple[Floor, tuple[Action, ...]]:
    unheard = floor.alone or (not floor.opened and floor.rules.opening is not None)
    nudge = now + NUDGE_S if unheard else floor.nudge_at
    return replace(floor, hold=None, nudge_at=nudge), (Changed(None),)


def _lost(floor: Floor, now: float, unsaid: Unsaid | None = None) -> tuple[Floor, tuple[Action, ...]]:
    """Ends a turn of which nothing was heard."""
    held = floor.hold
    floor, actions = _revoked(floor, now)
    if held is None or held.cut:
        return floor, actions
    floor, unanswered = unheard(floor, held.request, unsaid, now)
    return floor, (*actions, *unanswered)


def _without_human(floor: Floor, identity: str, now: float) -> tuple[Floor, tuple[Action, ...]]:
    humans = floor.humans - {identity}
    talking = tuple((who, since) for who, since in floor.talking if who != identity)
    was_talking = talking != floor.talking
    floor = replace(floor, humans=humans, talking=talking)
    if humans:
        return _given_back(floor, now) if was_talking else (floor, ())
    if floor.alone:
        return replace(floor, nudge_at=now + NUDGE_S), ()
    waiting = tuple(request for request in floor.waiting if request.directed)
    owed = tuple(owed for owed in floor.owed if owed.request.directed)
    return replace(floor, waiting=waiting, owed=owed, cut_off=None, open=None, consulting=None), ()


def _without(floor: Floor, is_gone: Callable[[str], bool], now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Takes the floor from agents that are gone; what people asked them goes to others, or people are told."""
    actions: tuple[Action, ...] = ()
    if floor.holder is not None and is_gone(floor.holder):
        floor, actions = _lost(floor, now)
    left = [request for request in floor.waiting if is_gone(request.identity)]
    floor = replace(floor, waiting=tuple(request for request in floor.waiting if not is_gone(request.identity)))
    for request in left:
        floor, told = unheard(floor, request, None, now)
        actions = (*actions, *told)
    return floor, actions


def _unwanted(floor: Floor, identity: str) -> Floor:
    return replace(floor, waiting=tuple(request for request in floor.waiting if request.identity != identity))


def _fell_silent(floor: Floor, identity: str) -> Floor:
    talking = list(floor.talking)
    for index, (who, _) in enumerate(talking):
        if who == identity:
            del talking[index]
            break
    return replace(floor, talking=tuple(talking))
