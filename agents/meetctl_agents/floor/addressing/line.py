"""A line with what the rules ask of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from .grammar import Used, is_question, is_request, uses
from .language import Language, chosen
from .names import Occurrence, names_of
from .roles import occurrences, roles_of
from .text import bare, fold, tokens, without_pauses, without_quotes
from .threads import Thread, thread_of
from .view import View


class ExaminedLine:
    """A line with what the rules ask of it."""

    def __init__(self, text: str, view: View) -> None:
        self.view = view
        self.text = without_quotes(fold(text))
        self.spoken: Language = chosen(view.language, self.text)
        self.words = tokens(self.text)
        self.bare = bare(self.text)
        self.plain = without_pauses(self.text)
        if self.spoken.without_blanks:
            self.bare, self.plain = self.bare.replace(" ", ""), self.plain.replace(" ", "")
        self.agents = {party.identity: party for party in view.parties if party.is_agent}
        self.people = {party.identity: party for party in view.parties if not party.is_agent}

    @property
    def alone(self) -> bool:
        """Whether the speaker is the only person."""
        return len(self.people) < 2

    @cached_property
    def thread(self) -> Thread:
        return thread_of(self.view)

    @cached_property
    def named(self) -> list[Occurrence]:
        names = names_of(self.view.parties, self.spoken).exact(self.text, self.words)
        return [one for one in names if one.identities != (self.view.speaker,)]

    @cached_property
    def used(self) -> list[Used]:
        """How the names and roles are used."""
        roles = roles_of(self.view.parties, self.spoken)
        found = occurrences(roles, self.text, self.words, self.spoken, self.named)
        return uses(self.text, [*self.named, *found], self.spoken)

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(identity for one in self.used for identity in one.occurrence.identities))

    @cached_property
    def asks(self) -> bool:
        return is_question(self.text, self.spoken)

    @cached_property
    def requests(self) -> bool:
        return is_request(self.text, self.spoken)

    @cached_property
    def asks_anyone(self) -> bool:
        """Whether it is put to the room: "does anybody know"."""
        return bool(self.spoken.anyone_strict.search(self.plain))

    @property
    def leaves_open(self) -> bool:
        """Whether no name is in it, and it does not only tell somebody to stop."""
        return not self.named and not self.spoken.dismissals.fullmatch(self.bare)

    def whole(self) -> tuple[str, ...]:
        """Returns all agents, in the order of the roster."""
        return tuple(self.agents)

    def pick(self, one: Occurrence) -> str | None:
        """Returns whom a name means; of several that share it, the one that people talk with, else the first."""
        able = [identity for identity in one.identities if identity != self.view.speaker]
        if len(able) > 1 and self.thread.agent in able:
            return self.thread.agent
        return able[0] if able else None

    def picked(self, used: Iterable[Used]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Returns the agents and the people of these names, in their order."""
        found = [identity for one in used if (identity := self.pick(one.occurrence)) is not None]
        agents = tuple(dict.fromkeys(identity for identity in found if identity in self.agents))
        return agents, tuple(dict.fromkeys(identity for identity in found if identity in self.people))
