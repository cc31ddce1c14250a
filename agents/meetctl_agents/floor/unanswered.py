"""What becomes of a person's question whose answer nobody heard. Pure; `machine.py` notices, and gives the floor.

The agent that had the floor for it is granted it once more; one that is gone, as soon as it is back. Then, where nobody
was named, it is the next one by turn. Where that is of no avail either, people are told.
"""

from __future__ import annotations

from dataclasses import replace

from meetctl.protocol import Unsaid

from .events import NeverAnswered
from .state import Floor, FloorRequest, Owed, by_turn, is_of_cast, may_be_directed, may_speak

RETURN_S = 20.0
"""Until an agent that is gone is back and answers: it is started again after a second, and takes a few to join."""
IN_VAIN = (Unsaid.NOTHING_NEW, Unsaid.LIMITED)
"""Reasons to say nothing that still hold a moment later."""

Outcome = tuple[Floor, tuple[NeverAnswered, ...]]


def unheard(floor: Floor, request: FloorRequest, unsaid: Unsaid | None, now: float) -> Outcome:
    """Returns the floor after a turn that nobody heard anything of, and that was not cut off."""
    line = request.line
    if line is None or request.verbatim is not None or is_of_cast(floor, line.identity):
        return floor, (NeverAnswered(request.identity, None, unsaid),) if unsaid is not None else ()
    if request.tries == 0 and unsaid not in IN_VAIN and _may_again(floor, request):
        again = replace(request, tries=1)
        if request.identity in floor.here:
            return replace(floor, waiting=(*floor.waiting, again)), ()
        if not request.is_by_turn:
            return replace(floor, owed=(*floor.owed, Owed(again, unsaid, now + RETURN_S))), ()
    if request.is_by_turn and request.tries < 2:
        others = (name for name in by_turn(floor, but=line.identity) if name != request.identity)
        if (other := next(others, None)) is not None:
            instead = FloorRequest(other, line, is_by_turn=True, tries=2)
            return replace(floor, waiting=(*floor.waiting, instead)), ()
    return floor, (NeverAnswered(request.identity, line, unsaid),)


def returned(floor: Floor, identity: str) -> Floor:
    """Returns the floor with an agent that is back about to answer what it was asked before it went."""
    back = tuple(owed.request for owed in floor.owed if owed.request.identity == identity)
    owed = tuple(owed for owed in floor.owed if owed.request.identity != identity)
    return replace(floor, owed=owed, waiting=(*floor.waiting, *back))


def overdue(floor: Floor, now: float) -> Outcome:
    """Returns the floor without what is no longer waited for: the agent is not back, or may not answer any more."""
    over = [owed for owed in floor.owed if now >= owed.due or not _may_again(floor, owed.request)]
    left = tuple(owed for owed in floor.owed if owed not in over)
    return replace(floor, owed=left), tuple(_given_up(owed) for owed in over)


def superseded(floor: Floor, person: str) -> Outcome:
    """Returns the floor once somebody says something else: who is gone does not come back to what was said before."""
    over = [owed for owed in floor.owed if owed.request.line is not None and owed.request.line.identity == person]
    left = tuple(owed for owed in floor.owed if owed not in over)
    return replace(floor, owed=left), tuple(_given_up(owed) for owed in over)


def _given_up(owed: Owed) -> NeverAnswered:
    return NeverAnswered(owed.request.identity, owed.request.line, owed.unsaid)


def _may_again(floor: Floor, request: FloorRequest) -> bool:
    if request.directed:
        return may_be_directed(floor, request.identity)
    return may_speak(floor, request.identity, addressed=True)
