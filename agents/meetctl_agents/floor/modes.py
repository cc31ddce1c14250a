"""Who speaks next in each floor mode: after a human's words, and after an agent's. Pure; wishes, never gives.

`addressed`: whoever is named, else one by turn. `round-robin`: a round of everybody, named or not. `moderated`:
whoever is named, else whoever the moderator picks. `free`: as addressed, and agents go on among themselves until they
have talked for as long as they may. A meeting of agents alone goes on by turn in every mode.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from meetctl.protocol import FloorMode, Line, OpenQuestions

from .events import Action, Consult, UtteranceFinal
from .state import Consultation, Floor, FloorRequest, OpenQuestion, by_turn, is_of_cast, may_speak

MODERATION_S = 1.2
"""A language model picks in 0.2 to 0.6 s; people notice a longer silence more than a worse choice."""
ROOM_S = 1.5
"""People who are asked something begin to answer within a second, mostly."""


def after_human(
    floor: Floor, said: UtteranceFinal, cut_off: FloorRequest | None, now: float
) -> tuple[Floor, tuple[Action, ...]]:
    """Returns the floor with who is to answer a human's line. `cut_off` is the turn that the line ended."""
    line, addressed = said.line, said.addressed
    others = tuple(
        request for request in floor.waiting if request.line is None or request.line.identity != line.identity
    )
    if floor.rules.floor is FloorMode.ROUND_ROBIN:
        kept = tuple(request for request in floor.waiting if request.directed)
        return replace(floor, waiting=(*kept, *_round(floor, line, addressed))), ()
    if addressed:
        able = (name for name in addressed if may_speak(floor, name, addressed=True))
        requests = tuple(FloorRequest(name, line, is_aside=said.is_aside) for name in able)
        kept = tuple(one for one in others if not one.is_aside or said.is_aside)
        return replace(floor, waiting=(*kept, *requests)), ()
    if said.to_nobody:
        return replace(floor, waiting=(*_not_yet_heard(cut_off, line), *others)), ()
    if cut_off is not None and may_speak(floor, cut_off.identity, addressed=True):
        return replace(floor, waiting=(FloorRequest(cut_off.identity, line), *others)), ()
    if said.to_the_room and floor.rules.floor is not FloorMode.MODERATED:
        return _asked_of_the_room(replace(floor, waiting=others), line, now), ()
    if others or (floor.hold and not floor.hold.cut):
        return floor, ()  # a remark to nobody does not take an answer away from somebody
    if floor.rules.floor is FloorMode.MODERATED:
        return _consult(replace(floor, waiting=()), line, now)
    return replace(floor, waiting=one_by_turn(floor, line)), ()


def _asked_of_the_room(floor: Floor, line: Line, now: float) -> Floor:
    """Returns the floor with one agent about to answer after whoever else is to, where no person does first."""
    match floor.rules.open_questions:
        case OpenQuestions.IGNORE:
            return floor
        case OpenQuestions.WAIT:
            return replace(floor, open=OpenQuestion(line, now + ROOM_S))
        case OpenQuestions.ANSWER:
            return replace(floor, waiting=(*floor.waiting, *one_by_turn(floor, line)))
        case _ as never:
            assert_never(never)


def _not_yet_heard(cut_off: FloorRequest | None, line: Line) -> tuple[FloorRequest, ...]:
    """Returns what was asked before, where people talked among themselves before anything of the answer was heard."""
    if cut_off is None or cut_off.was_heard or cut_off.line is None or cut_off.line.id == line.id:
        return ()
    return (cut_off,)


def after_agent(floor: Floor, line: Line, addressed: tuple[str, ...], now: float) -> tuple[Floor, tuple[Action, ...]]:
    """Returns the floor with who goes on after an agent's line, where nobody waits and nobody talks."""
    named = [name for name in addressed if name != line.identity and may_speak(floor, name, addressed=True)]
    mode = floor.rules.floor
    if named and mode is not FloorMode.ROUND_ROBIN:
        return replace(floor, waiting=(FloorRequest(named[0], line),)), ()
    if floor.exhausted:
        return floor, ()
    if mode is FloorMode.MODERATED:
        return _consult(floor, line, now)
    if mode is FloorMode.FREE or floor.alone:
        return replace(floor, waiting=one_by_turn(floor, line)), ()
    return floor, ()


def decided(floor: Floor, number: int, identity: str | None) -> Floor:
    """Returns the floor after the moderator's answer; one that comes too late changes nothing."""
    asked = floor.consulting
    if asked is None or asked.number != number:
        return floor
    if identity is None and not floor.alone:
        return replace(floor, consulting=None)
    if identity is None or not may_speak(floor, identity, addressed=True):
        return undecided(floor, number)
    picked = FloorRequest(identity, asked.line, is_by_turn=True)
    return replace(floor, consulting=None, waiting=(*floor.waiting, picked))


def undecided(floor: Floor, number: int) -> Floor:
    """Returns the floor where the moderator gave no answer: as `addressed` does it."""
    asked = floor.consulting
    if asked is None or asked.number != number:
        return floor
    floor = replace(floor, consulting=None)
    if is_of_cast(floor, asked.line.identity) and not floor.alone:
        return floor
    return replace(floor, waiting=(*floor.waiting, *one_by_turn(floor, asked.line)))


def _consult(floor: Floor, line: Line, now: float) -> tuple[Floor, tuple[Action, ...]]:
    candidates = by_turn(floor, but=line.identity, named=tuple(member.identity for member in floor.cast))
    if not candidates:
        return floor, ()
    number = floor.consultations + 1
    asked = Consultation(number, line, now + MODERATION_S)
    return replace(floor, consulting=asked, consultations=number), (Consult(number, line, candidates),)


def one_by_turn(floor: Floor, line: Line) -> tuple[FloorRequest, ...]:
    """Returns that the next one by turn answers the line; nothing where nobody may."""
    return tuple(FloorRequest(name, line, is_by_turn=True) for name in by_turn(floor, but=line.identity)[:1])


def _round(floor: Floor, line: Line, addressed: tuple[str, ...]) -> tuple[FloorRequest, ...]:
    return tuple(FloorRequest(name, line) for name in by_turn(floor, named=addressed))
