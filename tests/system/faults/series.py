"""Which faults come in which order: by chance from a seed, and so that none is left out. Pure.

Faults are dealt like cards: a hand holds every kind once, in an order of its own, and is played in one meeting; after
some hands comes one for a meeting with an avatar. A longer series begins with the shorter ones of the same seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from .kinds import Kind, Process

HANDS_BETWEEN = 4
"""So many are played in plain meetings between two in meetings with an avatar, which cost more."""


@dataclass(frozen=True, slots=True)
class Fault:
    number: int
    kind: str
    target: Process | None
    seed: str
    """Of what else is left to chance in it, so that it can be done again alone."""

    def chance(self) -> random.Random:
        return random.Random(self.seed)

    def __str__(self) -> str:
        return f"{self.number} {self.kind}" + (f" of {self.target}" if self.target else "")


@dataclass(frozen=True, slots=True)
class Hand:
    """What one meeting has to stand."""

    faults: tuple[Fault, ...]
    avatar: bool


def series(kinds: Mapping[str, Kind], seed: int, count: int) -> list[Hand]:
    """Returns the first faults of that seed, by meetings."""
    hands: list[Hand] = []
    left = count
    for hand in _hands(kinds, seed):
        if left <= 0:
            break
        hands.append(Hand(hand.faults[:left], hand.avatar))
        left -= len(hand.faults)
    return hands


def counts(faults: Iterable[Fault]) -> tuple[Counter[str], Counter[str]]:
    """Returns how often each kind comes, and how often each process is struck."""
    faults = list(faults)
    return Counter(fault.kind for fault in faults), Counter(str(fault.target) for fault in faults if fault.target)


def _hands(kinds: Mapping[str, Kind], seed: int) -> Iterator[Hand]:
    chance = random.Random(seed)
    number = 0
    decks = {kind.name: _dealt(kind.targets, chance) for kind in kinds.values() if kind.targets}
    for round_ in range(1, 1_000_000):
        if avatar := round_ % (HANDS_BETWEEN + 1) == 0:
            cards: list[tuple[str, Process | None]] = [
                (kind.name, target) for kind in kinds.values() for target in kind.avatar_targets
            ]
        else:
            cards = [(kind.name, next(decks[kind.name]) if kind.targets else None) for kind in kinds.values()]
        chance.shuffle(cards)
        faults = [
            Fault(number + place, name, target, f"{seed}-{number + place}")
            for place, (name, target) in enumerate(cards, 1)
        ]
        number += len(faults)
        yield Hand(tuple(faults), avatar)


def _dealt(targets: tuple[Process, ...], chance: random.Random) -> Iterator[Process]:
    while True:
        yield from chance.sample(targets, len(targets))


def first(hands: Iterable[Hand], count: int) -> list[Fault]:
    """Returns the first faults of these hands."""
    return list(islice((fault for hand in hands for fault in hand.faults), count))
