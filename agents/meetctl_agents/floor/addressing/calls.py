"""Somebody is called, or asked about: by name, by role, or by what sounds like a name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .grammar import Use, Used, is_question, is_request, uses
from .language import Language
from .line import ExaminedLine
from .names import names_of
from .text import bare, sentences
from .view import Decision

MOST_MISHEARD = 6
"""Of the likeliest, how many are looked at."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Names that are called together."""

    used: tuple[Used, ...]
    content: str
    """What is said to them."""
    first: bool
    """The line begins with them."""


def called(line: ExaminedLine) -> Decision | None:
    """Somebody is called by name; the last one counts, and those before of whom something is asked too."""
    return _of_called(line, line.used, "name", roles=False)


def by_role(line: ExaminedLine) -> Decision | None:
    """Somebody is called by what they are, or asked about."""
    return _of_called(line, line.used, "role", roles=True)


def misheard(line: ExaminedLine) -> Decision | None:
    """A word that sounds like a name is used as one is."""
    names = names_of(line.view.parties, line.spoken)
    for one in names.similar(line.text, line.words, line.named)[:MOST_MISHEARD]:
        if one.identities == (line.view.speaker,):
            continue
        found = uses(line.text, [*line.named, one], line.spoken)
        if any(use.occurrence is one and use.use in (Use.CALLED, Use.ASKED) for use in found):
            decision = _of_called(line, found, "similar name", roles=False)
            if decision is not None and decision.rule == "similar name":
                return decision
    return None


def _of_called(line: ExaminedLine, used: Sequence[Used], rule: str, *, roles: bool) -> Decision | None:
    here = [one for one in used if one.occurrence.role == roles or one.use is Use.CALLED]
    groups = _groups(line, [one for one in here if one.use is Use.CALLED])
    if roles and not any(one.occurrence.role and one.use in (Use.CALLED, Use.ASKED) for one in here):
        return None
    kept = [group for group in groups if not _is_thanks(group, line)]
    if not kept and len(groups) == 1 and groups[0].first:
        kept = groups  # "Ada, thank you": to be answered, unlike "thanks, Ada"
    if kept:
        wanted = [group for group in kept[:-1] if _wants_answer(group, line)]
        agents, people = line.picked(one for group in (*wanted, kept[-1]) for one in group.used)
        return Decision(rule, agents, people, _candidates(used))
    asked = [one for one in here if one.use is Use.ASKED]
    if asked:
        agents, people = line.picked(asked)
        return Decision("role" if roles else "asked about", agents, people, _candidates(used))
    if groups and not line.asks:
        return Decision("thanks", (), (), _candidates(used), passive=True)
    return None


def _candidates(used: Sequence[Used]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(identity for one in used for identity in one.occurrence.identities))


def _groups(line: ExaminedLine, called: Sequence[Used]) -> list[_Group]:
    together: list[list[Used]] = []
    for one in sorted(called, key=lambda used: used.occurrence.start):
        if together and one.sentence == together[-1][-1].sentence:
            between = line.text[together[-1][-1].occurrence.end : one.occurrence.start]
            if not _without_filling(between, line.spoken):
                together[-1].append(one)
                continue
        together.append([one])
    bounds = [(group[0].occurrence.start, group[-1].occurrence.end) for group in together]
    found: list[_Group] = []
    for index, group in enumerate(together):
        start, end = bounds[index]
        following = bounds[index + 1][0] if index + 1 < len(bounds) else len(line.text)
        content = line.text[end:following]
        first = next(begin for begin, finish in sentences(line.text) if begin <= start < finish)
        earlier = max(first, bounds[index - 1][1] if index else 0)
        if index + 1 < len(bounds) and (cut := content.rfind(".")) >= 0:
            content = content[: cut + 1]
        found.append(_Group(tuple(group), f"{line.text[earlier:start]} {content}".strip(), start == 0))
    return found


def _without_filling(text: str, spoken: Language) -> str:
    rest = bare(text)
    while rest:
        match = spoken.joins.match(rest) or spoken.openers.match(rest)
        if match is None or not match.end():
            return rest
        rest = rest[match.end() :].strip()
    return rest


def _is_thanks(group: _Group, line: ExaminedLine) -> bool:
    content = bare(group.content)
    return "?" not in group.content and bool(content) and bool(line.spoken.thanks.fullmatch(content))


def _wants_answer(group: _Group, line: ExaminedLine) -> bool:
    content = group.content.strip()
    return is_question(content, line.spoken) or is_request(content, line.spoken)
