"""Whom a pronoun stands for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .language import Language
from .line import ExaminedLine
from .names import names_of
from .text import fold, sentences, tokens
from .view import Decision, Party


def pronoun(line: ExaminedLine) -> Decision | None:
    """ "What does she think of that?", where one agent alone can be meant."""
    told = line.spoken.pronoun_told.search(line.plain)
    if told is not None and line.thread.agent is not None and not line.thread.pair:
        return Decision("pronoun", (line.thread.agent,), (), (line.thread.agent,))
    found = line.spoken.pronoun_asked.search(line.plain)
    if found is None:
        return _asked_of_whom_it_names(line)
    word = next((group for group in found.groups() if group), "")
    able = [
        party
        for party in line.view.parties
        if party.identity != line.view.speaker and _may_be(party, word, line.spoken)
    ]
    referred = _named_before(line, able, found.start()) or _spoken_of(line, able)
    if referred is None:
        return None
    if referred in line.people:
        return None  # asked of whoever it is said to
    return Decision("pronoun", (referred,), (), (referred,))


def _asked_of_whom_it_names(line: ExaminedLine) -> Decision | None:
    """ "Ana laughed at that. Would she laugh again?": a question about whom the line named before."""
    found = sentences(line.text)
    if len(found) < 2 or "?" not in line.text:
        return None
    start, end = found[-1]
    words = {token.text for token in tokens(line.text[start:end])}
    spoken = line.spoken
    pronouns = words & (spoken.pronouns_feminine | spoken.pronouns_masculine)
    if len(pronouns) != 1 or spoken.without_blanks:
        return None
    able = [party for party in line.agents.values() if _may_be(party, next(iter(pronouns)), spoken)]
    referred = _named_before(line, able, start)
    return None if referred is None else Decision("pronoun", (referred,), (), (referred,))


def _named_before(line: ExaminedLine, able: Sequence[Party], end: int) -> str | None:
    """Returns who was named last in the line itself before the pronoun."""
    identities = {party.identity for party in able}
    named = [one for one in line.named if not one.ordinary and one.start < end]
    found = [identity for one in named for identity in one.identities if identity in identities]
    return found[-1] if found else None


def _may_be(party: Party, word: str, spoken: Language) -> bool:
    names = {token.text for token in tokens(fold(party.name))} | {fold(party.name)}
    if word in spoken.pronouns_any:
        return True
    feminine, masculine = bool(names & spoken.female), bool(names & spoken.male)
    if feminine == masculine:
        return True
    return feminine if word in spoken.pronouns_feminine else masculine


def _spoken_of(line: ExaminedLine, able: Sequence[Party]) -> str | None:
    identities = {party.identity for party in able}
    names = names_of(line.view.parties, line.spoken)
    last = next((one.identity for one in reversed(line.view.heard)), None)
    for heard in list(reversed(line.view.heard))[:6]:
        text = fold(heard.text)
        if not heard.by_agent and line.spoken.relatives.search(text):
            return None  # somebody who is not there
        named = [one for one in names.exact(text, tokens(text)) if not one.ordinary]
        for one in reversed(named):
            able_here = [
                identity for identity in one.identities if identity in identities and identity != heard.identity
            ]
            # Whoever talked last is "you".
            if able_here and able_here[0] != last:
                return able_here[0]
        if heard.identity in identities and heard.identity != last and heard.identity in line.agents:
            return heard.identity
    agents = [party.identity for party in able if party.is_agent]
    others = [identity for identity in agents if identity != last]
    if len(others) == 1 or (others and len(agents) == 1):
        return others[0]
    return agents[0] if len(agents) == 1 else None
