"""How often a line reached whom it was meant for, and how it was missed otherwise. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .annotated import ANYBODY, KINDS, AnnotatedMeeting, AnnotatedTurn
from .played import Played

Miss = Literal["barged in", "wrong agent", "too many", "too few"]
MISSES: tuple[Miss, ...] = ("barged in", "wrong agent", "too many", "too few")


@dataclass(frozen=True)
class Scored:
    """One turn: what it was, and how it was missed; None = it was not."""

    meeting: AnnotatedMeeting
    turn: AnnotatedTurn
    granted: tuple[str, ...]
    rule: str
    miss: Miss | None


def score(meeting: AnnotatedMeeting, played: Played) -> Scored:
    """Returns the turn with how it was missed."""
    allowed = played.turn.allowed
    assert allowed is not None
    return Scored(meeting, played.turn, played.granted, played.rule, how_missed(allowed, played.granted))


def how_missed(allowed: Sequence[Sequence[str]], granted: Sequence[str]) -> Miss | None:
    """Returns None where what was granted is one of the lists that are right; else how it differs from the nearest."""
    if any(_matches(wanted, granted) for wanted in allowed):
        return None
    if all(not wanted for wanted in allowed):
        return "barged in"
    wanted = max(allowed, key=lambda one: (len(set(one) & set(granted)), -abs(len(one) - len(granted))))
    if len(granted) < len(wanted) and (set(granted) <= set(wanted) or ANYBODY in wanted):
        return "too few"
    if len(granted) > len(wanted) and (set(wanted) <= set(granted) or ANYBODY in wanted):
        return "too many"
    return "wrong agent"


def _matches(wanted: Sequence[str], granted: Sequence[str]) -> bool:
    return len(wanted) == len(granted) and all(
        one in (ANYBODY, other) for one, other in zip(wanted, granted, strict=True)
    )


def accuracy(turns: Sequence[Scored]) -> float:
    """Returns the share that is right, 1.0 of none."""
    return sum(one.miss is None for one in turns) / len(turns) if turns else 1.0


def report(turns: Sequence[Scored]) -> list[str]:
    """Returns the figures as lines: overall, by kind, language and number of people, and how they were missed."""
    meetings = {id(one.meeting) for one in turns}
    lines = [f"{_figure(turns)}  of all turns, in {len(meetings)} meetings", "", "by kind"]
    lines += _groups(turns, lambda one: str(one.turn.kind), KINDS)
    lines += ["", "by language", *_groups(turns, lambda one: one.meeting.language or "not given")]
    lines += ["", "by people", *_groups(turns, lambda one: str(len(one.meeting.people)))]
    missed = Counter(one.miss for one in turns)
    lines += ["", "missed", *(f"{missed[miss]:6}  {miss}" for miss in MISSES)]
    return lines


def shown(one: Scored) -> str:
    """Returns a miss on one line, with the rule that made it."""
    wanted = " or ".join("+".join(names) or "nobody" for names in one.turn.allowed or ())
    got = "+".join(one.granted) or "nobody"
    return (
        f"{one.meeting.id}  {one.turn.kind}  {one.miss}  {one.turn.speaker}: {one.turn.text!r}  "
        f"meant for {wanted}, given to {got}, by {one.rule}"
    )


def _groups(turns: Iterable[Scored], key: Callable[[Scored], str], order: Sequence[str] = ()) -> list[str]:
    found: dict[str, list[Scored]] = {name: [] for name in order}
    for one in turns:
        found.setdefault(key(one), []).append(one)
    names = [name for name in (order or sorted(found)) if found[name]]
    return [f"{_figure(found[name])}  {name}" for name in names]


def _figure(turns: Sequence[Scored]) -> str:
    right = sum(one.miss is None for one in turns)
    return f"{accuracy(turns) * 100:5.1f} %  {right:4} of {len(turns):4}"
