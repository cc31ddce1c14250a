"""What was said before decides: who was asked, who talks with whom, who was just heard. Pure."""

from __future__ import annotations

from .grammar import Use
from .line import ExaminedLine
from .view import Decision


def answer(line: ExaminedLine) -> Decision | None:
    """The answer to what an agent just asked."""
    thread = line.thread
    if thread.asked_by is None or (thread.asked and line.view.speaker not in thread.asked):
        return None
    if line.asks_anyone or thread.asked_by not in line.agents:
        return None
    return Decision("answer", (thread.asked_by,), (), (thread.asked_by,))


def between_people(line: ExaminedLine) -> Decision | None:
    """A reply to a person, or what those two go on to say."""
    thread = line.thread
    if not thread.pair or line.view.speaker not in thread.pair or line.alone or line.asks_anyone:
        return None
    others = tuple(identity for identity in thread.pair if identity != line.view.speaker)
    return Decision("reply to a person", (), others, others)


def dismissal(line: ExaminedLine) -> Decision | None:
    """Only tells whoever speaks to stop: nobody is to answer it."""
    if "?" in line.text or line.named or not line.spoken.dismissals.fullmatch(line.bare):
        return None
    return Decision("dismissal", candidates=() if line.view.cut_off is None else (line.view.cut_off,))


def interruption(line: ExaminedLine) -> Decision | None:
    """Said into the words of an agent, to nobody else by name."""
    agent = line.view.cut_off
    if agent is None:
        return None
    return Decision("interruption", (agent,), (), (agent,), is_aside=not (line.asks or line.requests))


def continuation(line: ExaminedLine) -> Decision | None:
    """Goes on from what an agent just said."""
    agent = line.thread.agent
    if agent is None or line.asks_anyone or agent not in line.agents:
        return None
    if not line.alone and (line.named or line.spoken.people_only.search(line.plain)):
        if not line.asks or line.spoken.people_only.search(line.plain):
            return None
    if line.alone or line.asks or line.requests:
        return Decision("continuation", (agent,), (), (agent,))
    goes_on = (
        line.spoken.fragment.search(line.bare)
        or (line.thread.spoke_last and line.spoken.fragment_unmarked.search(line.plain))
    ) or (line.thread.spoke_last and line.spoken.you_statement.match(line.plain))
    return Decision("continuation", (agent,), (), (agent,)) if goes_on else None


def alone(line: ExaminedLine) -> Decision | None:
    """One person alone with agents means one of them."""
    return Decision("alone", to_anybody=True, candidates=line.whole()) if line.alone else None


def open_question(line: ExaminedLine) -> Decision | None:
    """A question to the room, or something that somebody is to do."""
    if line.spoken.people_only.search(line.plain):
        return None
    mentions = any(one.use in (Use.MENTIONED, Use.UNCLEAR) for one in line.used if not one.occurrence.ordinary)
    if mentions and not line.asks_anyone and not line.spoken.anyone.search(line.plain):
        return None
    if not (line.asks or line.asks_anyone or (line.requests and not line.view.heard)):
        return None
    return Decision(
        "open question", to_anybody=True, to_the_room=True, unsure=line.leaves_open, candidates=line.whole()
    )


def statement(line: ExaminedLine) -> Decision | None:
    """Said among people, to nobody in particular."""
    return Decision("statement", unsure=line.leaves_open, candidates=line.candidates)
