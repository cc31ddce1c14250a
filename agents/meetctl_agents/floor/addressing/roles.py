"""What agents are besides their names: "the lawyer", from a `role:` or from how a persona begins. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .language import Language
from .names import Occurrence, has_article
from .text import CJK, Token, fold, sentences, tokens
from .view import Party

MOST_WORDS = 6
SHORTEST_STEM = 5
"""Letters that a role must share with a word for another ending to be forgiven: "abogado", "abogada"."""
MOST_ENDING = 3
LONG_TITLES = {"dr": "doctor", "prof": "professor", "mr": "mister"}

_CJK = re.compile(f"[{CJK}]")
_BREAK = re.compile(r"[,;:.()!?]| - ")


@dataclass(frozen=True)
class Roles:
    """The words that stand for exactly one agent, with its identity."""

    whole: dict[tuple[str, ...], str]
    by_stem: dict[str, list[tuple[str, str]]]
    """Single words by how they begin."""
    longest: int
    """Words."""


@lru_cache(maxsize=16)
def roles_of(parties: tuple[Party, ...], spoken: Language) -> Roles:
    """Returns what the agents are called by what they are."""
    found: dict[tuple[str, ...], set[str]] = {}
    for party in parties:
        titles = {token.text for token in tokens(fold(party.name))} & spoken.titles - spoken.articles
        for title in titles:
            # "Doctor, …" is called where one alone in the room has that title.
            found.setdefault((LONG_TITLES.get(title, title),), set()).add(party.identity)
        if party.is_agent:
            for words in set(_roles(party, spoken)):
                found.setdefault(words, set()).add(party.identity)
    agents = {party.identity for party in parties if party.is_agent}
    whole = {words: next(iter(whose)) for words, whose in found.items() if len(whose) == 1 and whose <= agents}
    by_stem: dict[str, list[tuple[str, str]]] = {}
    for words, identity in whole.items():
        if len(words) == 1 and len(words[0]) >= SHORTEST_STEM:
            by_stem.setdefault(words[0][:SHORTEST_STEM], []).append((words[0], identity))
    return Roles(whole, by_stem, max((len(words) for words in whole), default=0))


def occurrences(
    roles: Roles, text: str, words: Sequence[Token], spoken: Language, taken: Iterable[Occurrence]
) -> list[Occurrence]:
    """Returns where somebody's role is named, its article included."""
    spans = [(one.start, one.end) for one in taken]
    found: list[Occurrence] = []
    index = 0
    while index < len(words):
        for length in range(min(roles.longest, len(words) - index), 0, -1):
            run = words[index : index + length]
            identity = _matching(tuple(one.text for one in run), roles, spoken)
            if identity is None or any(run[0].start < end and start < run[-1].end for start, end in spans):
                continue
            articled = has_article(text, words, index, spoken)
            start, end = words[index - 1].start if articled else run[0].start, run[-1].end
            after = words[index + length] if index + length < len(words) else None
            if after is not None and after.text in spoken.role_words:
                end = after.end
            for honorific in sorted(spoken.honorifics, key=len, reverse=True):
                if text.startswith(honorific, end):
                    end += len(honorific)
                    break
            found.append(Occurrence((identity,), start, end, role=True, articled=articled))
            index += length - 1
            break
        index += 1
    return found


def _matching(words: tuple[str, ...], roles: Roles, spoken: Language) -> str | None:
    if words in roles.whole:
        return roles.whole[words]
    if len(words) != 1 or len(words[0]) < SHORTEST_STEM:
        return None
    ending = {identity for role, identity in roles.whole.items() if len(role) == 1 and role[0].endswith(words[0])}
    if len(ending) == 1:  # "Ärztin" of "Kinderärztin"
        return next(iter(ending))
    like = roles.by_stem.get(words[0][:SHORTEST_STEM], ())
    near = {identity for role, identity in like if _same_stem(words[0], role, spoken)}
    return next(iter(near)) if len(near) == 1 else None


def _same_stem(one: str, other: str, spoken: Language) -> bool:
    """Returns whether two words differ only by such endings as words have in the language."""
    shared = SHORTEST_STEM
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    endings = {"", *spoken.inflections}
    return any(
        one[place:] in endings and other[place:] in endings
        for place in range(shared, max(SHORTEST_STEM, shared - MOST_ENDING) - 1, -1)
    )


def _roles(party: Party, spoken: Language) -> Iterable[tuple[str, ...]]:
    for phrase in (party.role, *_phrases(party.persona, spoken)):
        whole = [token.text for token in tokens(fold(phrase))]
        if not whole:
            continue
        if _CJK.search(fold(phrase)):
            yield from _without_blanks(fold(phrase))
            continue
        words = [word for word in whole if word not in spoken.articles][:MOST_WORDS]
        plain = [word for word in words if word not in spoken.role_fillers]
        for run in (words, plain, plain[-2:], plain[:2]):
            if run and not (len(run) == 1 and run[0] in spoken.stop_words):
                yield tuple(run)
        heads = plain[-1:] if spoken.heads_last else plain[:1]
        yield from ((word,) for word in heads if word not in spoken.stop_words and len(word) > 2)


def _phrases(persona: str, spoken: Language) -> Iterable[str]:
    """Yields what the persona calls itself: "a careful lawyer" of "You are a careful lawyer who…"."""
    folded = fold(persona)
    for number, (start, end) in enumerate(sentences(folded)[:3]):
        sentence = folded[start:end].strip()
        lead = spoken.role_leads.match(sentence)
        rest = sentence[lead.end() :] if lead else sentence
        if lead is None and (number or len(sentence.split()) > MOST_WORDS or spoken.you.search(sentence)):
            continue
        for place, part in enumerate(_BREAK.split(rest)):
            words = part.split()
            if place and not (words and words[0] in spoken.articles):
                continue
            yield _until_end(part.strip(), spoken)


def _until_end(part: str, spoken: Language) -> str:
    if spoken.without_blanks:
        for ending in spoken.role_ends:
            part = part.partition(ending)[0]
        return part
    words = part.split()
    kept: list[str] = []
    for place, word in enumerate(words):
        if place and word in spoken.role_ends:
            break
        kept.append(word)
    return " ".join(kept)


def _without_blanks(phrase: str) -> Iterable[tuple[str, ...]]:
    last = re.split("[的の]", phrase)[-1]
    for run in (phrase, last, *(last[-length:] for length in (3, 5, 6) if len(last) > length)):
        parts = tuple(token.text for token in tokens(run))
        if len(parts) > 1:
            yield parts
