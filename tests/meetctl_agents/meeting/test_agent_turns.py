"""The chair's book of agents' turns."""

from __future__ import annotations

import pytest
from meetctl_agents.meeting.agent_turns import AgentTurns, said_within

from meetctl.protocol import Draft, Release

TEXT = "We keep the database, and the server that nobody has looked at since."


def test_a_release_that_is_told_again_is_new_once() -> None:
    turns = AgentTurns()
    release = Release(grant_id="g1", text=TEXT)
    assert [turns.is_new("ada", release) for _ in range(3)] == [True, False, False]
    assert turns.is_new("ada", Release(grant_id="g2", text=TEXT))


def test_of_an_agent_that_is_gone_what_was_heard_by_then_is_taken_down_and_its_own_word_is_better() -> None:
    turns = AgentTurns()
    turns.drafted("ada", Draft(grant_id="g1", text=TEXT[:10], whole=False))
    turns.sounded("ada", "g1", 100.0)
    turns.drafted("ada", Draft(grant_id="g1", text=TEXT))
    turns.sounded("ada", "g1", 101.0)
    broken = turns.broken_off("ada", 101.5)
    assert broken == Release(grant_id="g1", text="We keep the database,", interrupted=True, started_at=100.0)
    assert turns.broken_off("ada", 200.0) is None
    assert turns.is_new("ada", Release(grant_id="g1", text="We keep the database, and"))


@pytest.mark.parametrize("how", ["nothing heard", "nothing drafted", "released", "another turn"])
def test_nothing_is_made_up(how: str) -> None:
    turns = AgentTurns()
    if how != "nothing drafted":
        turns.drafted("ada", Draft(grant_id="g1", text=TEXT))
    if how != "nothing heard":
        turns.sounded("ada", "g1", 100.0)
    if how == "released":
        turns.is_new("ada", Release(grant_id="g1", text=TEXT))
        turns.drafted("ada", Draft(grant_id="g1", text=TEXT))  # overtaken by the release
    if how == "another turn":
        turns.sounded("ada", "g2", 110.0)
    assert turns.broken_off("ada", 120.0) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(-1.0, ""), (0.0, ""), (0.2, "We"), (1.0, "We keep the"), (1000.0, TEXT)]
)
def test_words_are_whole(seconds: float, said: str) -> None:
    assert said_within(TEXT, seconds) == said


def test_a_language_without_blanks_is_cut_between_its_letters() -> None:
    assert said_within("我们保留数据库" * 10, 1.0) == ("我们保留数据库" * 10)[:15]
