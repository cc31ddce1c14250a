"""How long an answer took."""

from __future__ import annotations

import time

from meetctl_agents.floor.events import GrantFloor
from meetctl_agents.floor.turn_clock import TurnClock

from meetctl.protocol import Line, Release

LINE = Line(id="u1", at=0, speaker="Sam", identity="sam", text="Ada and Max?")


def released(number: int, started_at: float | None) -> Release:
    return Release(grant_id=f"g{number}", text="words", started_at=started_at, stages_ms={"grant_to_sound": 5.0})


def test_an_answer_is_timed_from_the_end_of_the_persons_words_stage_by_stage() -> None:
    clock, ended = TurnClock(), time.time() - 1
    clock.heard("u1", ended, {"transcription": 100.0})
    clock.granted(GrantFloor("ada", "g1", LINE), 0.01)
    stages = clock.released(released(1, ended + 1.5))
    assert stages is not None
    assert (stages["total"], stages["grant"], stages["transcription"], stages["grant_to_sound"]) == (1500, 10, 100, 5)


def test_the_second_to_answer_is_timed_from_the_end_of_the_first() -> None:
    clock, ended = TurnClock(), time.time() - 60
    clock.heard("u1", ended, {"transcription": 100.0})
    clock.granted(GrantFloor("ada", "g1", LINE), 0.01)
    clock.released(released(1, ended + 1))
    clock.granted(GrantFloor("max", "g2", LINE), 0.01)
    stages = clock.released(released(2, time.time() + 0.3))
    assert stages is not None
    assert 0 < stages["total"] < 10_000
    assert "transcription" not in stages


def test_what_nobody_asked_for_or_heard_has_no_latency() -> None:
    clock = TurnClock()
    clock.heard("u1", time.time(), {})
    clock.granted(GrantFloor("ada", "g1", None), 0.01)
    assert clock.released(released(1, time.time())) is None
    clock.granted(GrantFloor("ada", "g2", LINE), 0.01)
    assert clock.released(released(2, None)) is None
