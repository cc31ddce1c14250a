"""For whom each line is meant, as the meeting goes on: keeps what was said and for whom, asks the rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meetctl.protocol import CastMember, Line

from .language import make_ready
from .passive import lets_go_on
from .rules import decide, dismisses
from .threads import names_called
from .view import Decision, HeardLine, Parties, Party, View

REMEMBERED = 24
"""Lines; more than a minute's."""


class Addressing:
    """Decides line by line."""

    def __init__(self, language: str | None, lines: Sequence[Line] = ()) -> None:
        self._language = language
        make_ready(language)  # not while the first person waits for an answer
        self._heard: dict[str, HeardLine] = {}
        self._agents: tuple[Party, ...] = ()
        self._people: tuple[Party, ...] = ()
        self._parties = Parties()
        self._transcript = tuple(line for line in lines if line.here is None)[-REMEMBERED:]

    def set_agents(self, cast: Sequence[CastMember]) -> None:
        """Takes who the agents are."""
        self._agents = tuple(
            Party(member.identity, member.name, True, member.role, member.persona, member.also_called)
            for member in cast
        )
        self._parties = Parties((*self._agents, *self._people))
        identities = {member.identity for member in cast}
        for line in self._transcript:  # from before the chair was started
            self._keep(line, by_agent=line.identity in identities)
        self._transcript = ()

    def set_people(self, names: Mapping[str, str]) -> None:
        """Takes who the people are: names by identity."""
        self._people = tuple(Party(identity, name, False) for identity, name in names.items())
        self._parties = Parties((*self._agents, *self._people))

    def decide(self, line: Line, cut_off: str | None) -> Decision:
        """Returns for whom a person's line is meant; nothing is remembered."""
        return decide(line.text, self._view(line, cut_off))

    def said(self, line: Line, decision: Decision) -> None:
        """Takes a person's line, for whom it was meant, and with it the room as it is from now on."""
        self._keep(line, by_agent=False, decision=decision)

    def answered(self, line: Line) -> None:
        """Takes an agent's line."""
        self._keep(line, by_agent=True)

    def granted(self, line_id: str, identity: str) -> None:
        """Takes that an agent is to answer the line: whoever goes on from it means that one."""
        heard = self._heard.get(line_id)
        if heard is None or heard.decision is None or identity in heard.decision.agents:
            return
        decision = heard.decision
        known = Decision(
            decision.rule, (*decision.agents, identity), decision.people, decision.candidates, decision.excluded
        )
        self._heard[line_id] = HeardLine(heard.identity, heard.by_agent, heard.text, heard.at, known)

    def called_by_agent(self, identity: str, text: str) -> tuple[str, ...]:
        """Returns the other agents that an agent's own words call; being spoken of is not enough."""
        parties = tuple(party for party in (*self._agents, *self._people) if party.identity != identity)
        view = View(parties, (), identity, 0.0, self._language)
        return names_called(text, view)[1]

    def lets_go_on(self, text: str) -> bool:
        """Returns whether the text, said over an agent, wants nothing but that it goes on."""
        return lets_go_on(text, self._language)

    def dismisses(self, text: str) -> bool:
        """Returns whether the text only tells somebody to stop talking."""
        return dismisses(text, self._language)

    def _view(self, line: Line, cut_off: str | None) -> View:
        parties = self._parties
        if all(party.identity != line.identity for party in self._people):
            parties = Parties((*parties, Party(line.identity, line.speaker, False)))
        heard = tuple(one for line_id, one in self._heard.items() if line_id != line.id)
        return View(parties, heard, line.identity, line.at, self._language, cut_off)

    def _keep(self, line: Line, *, by_agent: bool, decision: Decision | None = None) -> None:
        self._heard.pop(line.id, None)
        at = line.ended_at or line.at
        self._heard[line.id] = HeardLine(line.identity, by_agent, line.text, at, decision)
        while len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]
