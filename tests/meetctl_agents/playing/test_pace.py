"""When a step is over: by what is heard and known, second by second."""

from __future__ import annotations

from dataclasses import replace

import pytest
from meetctl_agents.playing.pace import LONGEST_S, UNDERSTOOD_S, Hearing, is_over, may_interrupt

from meetctl.protocol.rehearsal import Act, ScriptedStep

SAYS = ScriptedStep(act=Act.SAYS, person="Sam", text="Hi", patience_s=20.0)
ASKS = SAYS.model_copy(update={"awaits": ("ada",)})
BEFORE = SAYS.model_copy(update={"hands_over": True})
WAITS = ScriptedStep(act=Act.WAITS, seconds=3.0)
LEAVES = ScriptedStep(act=Act.LEAVES, person="Sam")
WRITES = ScriptedStep(act=Act.WRITES, person="Sam", text="Hi")

NOTHING = Hearing({}, {}, {}, {}, busy_until=0.0, understood_at=None)
UNDERSTOOD = replace(NOTHING, understood_at=11.0)
THINKING = replace(UNDERSTOOD, states={"ada": "thinking"}, busy_until=14.0)
SPEAKING = replace(UNDERSTOOD, sounding_since={"ada": 12.0}, first_sound_after={"ada": 12.0}, busy_until=14.0)
ANSWERED = replace(UNDERSTOOD, first_sound_after={"ada": 12.0}, last_sound={"ada": 14.0}, busy_until=14.1)


@pytest.mark.parametrize(
    ("step", "hearing", "now", "over"),
    [
        # The person spoke until 10.0.
        (ASKS, UNDERSTOOD, 29.9, False),
        (ASKS, UNDERSTOOD, 30.1, True),
        (ASKS, SPEAKING, 14.0, False),
        (ASKS, ANSWERED, 14.3, False),
        (ASKS, ANSWERED, 14.9, True),
        (ASKS, replace(ANSWERED, first_sound_after={"max": 12.0}), 20.0, False),
        (ASKS, replace(ANSWERED, first_sound_after={"max": 12.0}), 22.2, True),
        (ASKS, replace(SPEAKING, first_sound_after={"max": 12.0}), 30.0, False),
        (SAYS, NOTHING, 13.0, False),
        (SAYS, NOTHING, 10.1 + UNDERSTOOD_S, True),
        (SAYS, UNDERSTOOD, 13.0, False),
        (SAYS, UNDERSTOOD, 13.6, True),
        (SAYS, THINKING, 14.0, False),
        (SAYS, ANSWERED, 15.0, False),
        (SAYS, ANSWERED, 16.7, True),
        (BEFORE, UNDERSTOOD, 15.0, False),
        (BEFORE, SPEAKING, 12.1, True),
        (BEFORE, UNDERSTOOD, 30.1, True),
        (WAITS, NOTHING, 12.9, False),
        (WAITS, SPEAKING, 13.1, True),
        (LEAVES, NOTHING, 10.1, True),
        (LEAVES, SPEAKING, 13.0, False),
        (WRITES, NOTHING, 12.4, False),
        (WRITES, NOTHING, 12.6, True),
        (SAYS, SPEAKING, 10.1 + LONGEST_S, True),
    ],
)
def test_a_step_is_over_when_what_it_is_for_has_happened(
    step: ScriptedStep, hearing: Hearing, now: float, over: bool
) -> None:
    assert is_over(step, 10.0, hearing, now) is over


def test_nobody_is_interrupted_at_the_first_syllable() -> None:
    assert not may_interrupt(NOTHING, 12.0)
    assert not may_interrupt(SPEAKING, 12.5)
    assert may_interrupt(SPEAKING, 12.9)
