"""Faults of every kind, by chance from a seed; after each of them the meeting is whole, and nothing was lost.

`make soak FAULTS=1000 SEED=7` plays a thousand, and the same ones again.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from testing.agents.human import synthesised

from .faults.kinds import KINDS
from .faults.playing import play
from .faults.series import series

FAULTS = int(os.environ.get("MEETCTL_FAULTS") or 200)
SEED = int(os.environ.get("MEETCTL_SEED") or random.SystemRandom().randrange(1, 10**6))
A_FAULT_S = 60
"""The time that a test has for each of them: many times what one takes."""
SHORT_SEED, SHORT = 356, 5


@pytest.mark.parametrize(
    ("faults", "seed"),
    [
        pytest.param(SHORT, SHORT_SEED, marks=pytest.mark.system),
        pytest.param(FAULTS, SEED, marks=[pytest.mark.soak, pytest.mark.timeout(600 + FAULTS * A_FAULT_S)]),
    ],
    ids=["short", "long"],
)
async def test_after_every_fault_the_meeting_is_whole_and_no_line_that_was_heard_is_lost(
    faults: int, seed: int, tmp_path: Path, model_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken = await synthesised(model_server, "Please tell me about the server.")

    def say(words: str) -> None:
        if faults > SHORT:
            with capsys.disabled():
                print(words, flush=True)

    say(f"\nseed {seed}: {faults} faults")
    tally = await play(series(KINDS, seed, faults), tmp_path, spoken, say)
    say(f"\nseed {seed}: {tally}")
    assert not tally.failures, f"seed {seed}: make soak FAULTS={faults} SEED={seed} plays them again\n{tally}"
    assert tally.kinds.total() == faults
