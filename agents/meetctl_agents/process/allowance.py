"""How much of something each person may do: a burst, then a steady rate. Pure; times are seconds of any one clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

LOG_LINES = (3, 1 / 60)
"""Burst and lines a second about one person who does over and over what is of no use."""


class Verdict(Enum):
    """Whether one more is taken."""

    TAKEN = auto()
    REFUSED_FIRST = auto()
    """The first that is too much; somebody is to be told."""
    REFUSED = auto()
    """One more of the same flood: it ends once as long was waited as a whole burst takes."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    is_told: bool = False


class Allowances:
    """An allowance for everybody, each of a burst that is refilled at a rate; remembers only who lately used theirs."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._buckets: dict[str, _Bucket] = {}

    def take(self, who: str, now: float) -> Verdict:
        """Takes one of what they have left."""
        bucket = self._bucket(who, now)
        if bucket.left >= 1:
            bucket.left -= 1
            return Verdict.TAKEN
        verdict = Verdict.REFUSED if bucket.is_told else Verdict.REFUSED_FIRST
        bucket.is_told = True
        return verdict

    def __len__(self) -> int:
        return len(self._buckets)

    def _bucket(self, who: str, now: float) -> _Bucket:
        full = [name for name, bucket in self._buckets.items() if self._left(bucket, now) >= self._burst]
        for name in full:
            del self._buckets[name]
        bucket = self._buckets.setdefault(who, _Bucket(self._burst, now))
        bucket.left, bucket.at = self._left(bucket, now), now
        return bucket

    def _left(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.left + (now - bucket.at) * self._per_s)
