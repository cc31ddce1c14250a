"""Somebody is excluded, or put in the place of somebody else. Pure."""

from __future__ import annotations

from .grammar import Use
from .line import ExaminedLine
from .text import OTHER
from .view import Decision


def correction(line: ExaminedLine) -> Decision | None:
    """Somebody is excluded, or put in the place of somebody else."""
    repaired = _repaired(line)
    if repaired is not None:
        return repaired
    excluded, spared = line.picked(one for one in line.used if one.use is Use.EXCLUDED)
    meant = [one for one in line.used if one.use is Use.MEANT]
    if not excluded and not spared and not meant:
        if not line.spoken.correction_only.search(line.plain):
            return None
        return _other_than(line, line.thread.agents[-1:])
    out = {*excluded, *spared}
    targets = [
        one
        for one in line.used
        if one.use in (Use.MEANT, Use.CALLED, Use.ASKED) and line.pick(one.occurrence) not in out
    ]
    if meant:
        targets = [one for one in targets if one.use is Use.MEANT or one.occurrence.start > meant[0].occurrence.start]
    agents, people = line.picked(targets)
    if agents or people:
        return Decision("correction", agents, people, line.candidates, excluded)
    if line.spoken.everybody_but.search(line.plain):
        rest = tuple(identity for identity in line.agents if identity not in out)
        return Decision("everybody but", rest, (), line.candidates, excluded)
    if spared and not excluded:
        return None
    return _other_than(line, excluded)


def _repaired(line: ExaminedLine) -> Decision | None:
    """Whom a speaker names after taking back whom they named first: "Ada, … no wait, that is one for Max"."""
    first = next((one for one in line.used if one.use in (Use.CALLED, Use.ASKED, Use.EXCLUDED)), None)
    if first is None:
        return None
    plain, places = _with_places(line)
    start = next((index for index, place in enumerate(places) if place >= first.occurrence.end), len(plain))
    repair = line.spoken.repair.search(plain, start)
    if repair is None:
        return None
    began, ended = places[repair.start()], places[repair.end() - 1] + 1
    after = [
        one
        for one in line.used
        if one.occurrence.start >= ended and one.use is not Use.EXCLUDED and line.pick(one.occurrence) is not None
    ]
    gone = [one for one in line.used if one.occurrence.end <= began]
    out, _ = line.picked(gone)
    agents, people = line.picked(after[-1:])
    if not (agents or people) or set(agents) & set(out):
        return None
    return Decision("correction", agents, people, line.candidates, tuple(name for name in out if name not in agents))


def _with_places(line: ExaminedLine) -> tuple[str, list[int]]:
    """Returns the line without pauses, names as one sign each, and where in the line each of its letters stands."""
    starts = {one.occurrence.start: one.occurrence.end for one in line.used}
    plain: list[str] = []
    places: list[int] = []
    index = 0
    while index < len(line.text):
        letter, end = line.text[index], index + 1
        if index in starts:
            letter, end = OTHER, starts[index]
        blank = letter.isspace() and (line.spoken.without_blanks or plain[-1:] == [" "])
        if letter not in ",;:.?!" and not blank:
            plain.append(letter)
            places.append(index)
        index = end
    return "".join(plain), places


def _other_than(line: ExaminedLine, excluded: tuple[str, ...]) -> Decision:
    rest = tuple(identity for identity in line.agents if identity not in excluded)
    if line.spoken.other_one.search(line.plain) and len(rest) == 1:
        return Decision("correction", rest, (), line.candidates, excluded)
    return Decision("exclusion", (), (), line.candidates, excluded or line.whole())
