"""Who has been talking with whom, from what was said before. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from .grammar import Use, invites, is_question, uses
from .language import Language, chosen
from .names import names_of
from .text import fold, sentences, tokens, without_quotes
from .view import HeardLine, Party, View

LASTS_S = 60.0
"""After a minute nobody goes on from what an agent said."""
WORDS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Thread:
    """The talk that is under way."""

    agent: str | None = None
    """Whom people talk with; None = nobody, or one another."""
    agents: tuple[str, ...] = ()
    """Who was heard or asked, the last one last."""
    spoke_last: bool = False
    """The last words were that agent's."""
    asked_by: str | None = None
    """The agent that waits for an answer."""
    asked: tuple[str, ...] = ()
    """The people that it asked by name; none = anybody."""
    pair: frozenset[str] = frozenset()
    """People who talk with one another."""
    questioned: tuple[str, ...] = ()
    """For whom the line before was meant."""
    at: float = 0.0


def thread_of(view: View) -> Thread:
    """Returns what is under way when the words of the view are said."""
    thread = Thread()
    for heard in view.heard:
        if thread.at and heard.at - thread.at > LASTS_S:
            thread = Thread(agents=thread.agents)
        thread = _after_agent(thread, heard, view) if heard.by_agent else _after_person(thread, heard)
    if thread.at and view.at - thread.at > LASTS_S:
        return Thread(agents=thread.agents)
    return thread


def _after_agent(thread: Thread, heard: HeardLine, view: View) -> Thread:
    if not WORDS.search(heard.text):
        return thread
    asks, people = _asked(heard.text, heard.identity, view.parties, view.language)
    return Thread(
        agent=heard.identity,
        agents=_lately(thread.agents, heard.identity),
        spoke_last=True,
        asked_by=heard.identity if asks else None,
        asked=people if asks else (),
        at=heard.at,
    )


@lru_cache(maxsize=256)
def _asked(text: str, identity: str, parties: tuple[Party, ...], language: str | None) -> tuple[bool, tuple[str, ...]]:
    """Returns whether an agent's words ask the people something, and whom of them by name."""
    folded = fold(text)
    people, agents = names_called(text, View(parties, (), identity, 0.0, language), but=identity)
    return asks_something(folded, chosen(language, folded)) and not (agents and not people), people


def _after_person(thread: Thread, heard: HeardLine) -> Thread:
    decision = heard.decision
    if decision is None or decision.passive:
        return thread
    if decision.agents:
        agents = thread.agents
        for agent in decision.agents:
            agents = _lately(agents, agent)
        return Thread(agent=decision.agents[-1], agents=agents, questioned=decision.agents, at=heard.at)
    if decision.people:
        pair = frozenset((heard.identity, *decision.people))
        return Thread(agents=thread.agents, pair=pair, at=heard.at)
    if decision.excluded:
        return Thread(agents=thread.agents, at=heard.at)
    if thread.pair:
        return replace(thread, at=heard.at) if heard.identity in thread.pair else thread
    waits = thread.asked_by is not None and thread.asked and heard.identity not in thread.asked
    if waits:
        return replace(thread, spoke_last=False)
    return replace(thread, spoke_last=False, asked_by=None, asked=())


def asks_something(text: str, spoken: Language) -> bool:
    """Returns whether folded words of an agent end with a question."""
    found = sentences(text)
    if not found:
        return False
    ending = [text[start:end] for start, end in found[-2:]]
    return "?" in "".join(ending) or is_question(ending[-1], spoken) or invites(ending[-1], spoken)


def names_called(text: str, view: View, *, but: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the people and the agents that an agent's words call by name; `but` is the agent itself."""
    folded = without_quotes(fold(text))
    spoken = chosen(view.language, folded)
    found = names_of(view.parties, spoken).exact(folded, tokens(folded))
    if not found:
        return (), ()
    agents = {party.identity for party in view.parties if party.is_agent}
    called = [
        one.occurrence.identities[0]
        for one in uses(folded, found, spoken)
        if one.use in (Use.CALLED, Use.ASKED, Use.MEANT) and one.occurrence.identities[0] != but
    ]
    people = tuple(dict.fromkeys(identity for identity in called if identity not in agents))
    return people, tuple(dict.fromkeys(identity for identity in called if identity in agents))


def _lately(agents: tuple[str, ...], agent: str) -> tuple[str, ...]:
    return (*(one for one in agents if one != agent), agent)
