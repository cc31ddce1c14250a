"""A series of faults leaves no kind and no process out, and is the same whenever its seed is."""

from __future__ import annotations

import pytest

from .kinds import KINDS, Process
from .playing import MODULES
from .series import counts, first, series

SEEDS = (1, 2, 7, 41)
ENOUGH = 1100


@pytest.mark.parametrize("seed", SEEDS)
def test_of_eleven_hundred_faults_thirty_are_of_each_kind_and_twenty_strike_each_process(
    seed: int,
) -> None:
    kinds, processes = counts(first(series(KINDS, seed, ENOUGH), ENOUGH))
    assert MODULES and set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 30, kinds
    assert set(processes) == set(Process)
    assert min(processes.values()) >= 20, processes


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shorter_series_is_the_beginning_of_a_longer_one_of_its_seed(seed: int) -> None:
    long = first(series(KINDS, seed, 300), 300)
    assert first(series(KINDS, seed, 40), 40) == long[:40]
    assert first(series(KINDS, seed + 1, 300), 300) != long
