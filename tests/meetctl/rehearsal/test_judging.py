"""What is said of a play: facts of a table, held against expectations of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from meetctl.display.rehearsal_document import AnswerHeard, Latencies, RehearsalDocument
from meetctl.protocol.rehearsal import Act, Captioned, Fact, Heard, Missed, Played, Spoke, StepBegan, StepEnded
from meetctl.rehearsal.judging import judge, percentile
from meetctl.rehearsal.record import Record
from meetctl.rehearsal.scenario import (
    Expectation,
    LineTest,
    MeetingExpectation,
    PlayedPerson,
    Scenario,
    ScenarioStep,
    TextTest,
    ToolTest,
)
from meetctl.roster import AgentEntry, Program, Roster

FILE = Path("scenario.yaml")
AGENTS = tuple(AgentEntry(name=name, identity=name.lower(), program=Program.AUDIO) for name in ("Ada", "Max"))
ASKS = ScenarioStep(4, Act.SAYS, "Sam", "Ada, what do you build?")


def scenario(*steps: ScenarioStep, expect: MeetingExpectation | None = None) -> Scenario:
    roster = Roster(file=FILE, room="rehearsal-1", agents=AGENTS)
    return Scenario(FILE, roster, (PlayedPerson("Sam", "sam", "alto", here=True),), steps, expect)


def recorded(*facts: Fact) -> Record:
    record = Record()
    for fact in facts:
        record.take(fact)
    return record


def heard(identity: str, began: float, ended: float) -> Heard:
    return Heard(identity=identity, began=began, ended=ended)


def asked_and_answered(identity: str = "ada", *, after: float = 1.0) -> list[Fact]:
    """Sam talks from 1.0 to 3.0; the agent is heard `after` seconds later, for two seconds, with a pause."""
    sound = 3.0 + after
    return [
        StepBegan(step=0, at=0.9),
        Spoke(step=0, identity="sam", began=1.0, ended=3.0),
        Captioned(identity="sam", segment="s1", text="Ada, what do you build?", began=3.6),
        Captioned(identity=identity, segment="a1", text="I build backends.", began=sound),
        heard(identity, sound, sound + 1.2),
        heard(identity, sound + 1.5, sound + 2.3),
        StepEnded(step=0, at=sound + 3.0),
        Played(at=sound + 3.1),
    ]


def failed(document: RehearsalDocument) -> list[tuple[str, str]]:
    return [(check.what, check.got) for check in document.failed]


def test_an_answer_is_timed_from_the_last_word_to_the_first_sound() -> None:
    document = judge(scenario(ASKS), recorded(*asked_and_answered()), stages={0: {"total": 990.0}})
    (step,) = document.steps
    assert step.answers == (AnswerHeard(agent="Ada", latency_ms=1000.0, sound_ms=2000.0, text="I build backends."),)
    assert (step.what, step.understood) == ("Sam says", "Ada, what do you build?")
    assert step.stages_ms == {"total": 990.0}
    assert document.latency_ms == Latencies(count=1, p50=1000.0, p95=1000.0, max=1000.0)
    assert document.passed


@pytest.mark.parametrize(
    ("expect", "facts", "wrong"),
    [
        (Expectation(answers=("ada",)), asked_and_answered(), []),
        (Expectation(answers=("ada",)), asked_and_answered("max"), [("Ada answers", "answered by Max")]),
        (Expectation(answers=("ada",)), asked_and_answered()[:3], [("Ada answers", "nobody answered")]),
        (
            Expectation(answers=("ada", "max")),
            [*asked_and_answered(), heard("max", 6.5, 6.8)],
            [],
        ),
        (Expectation(answers=("ada",), within_s=1.0), asked_and_answered(after=1.0), []),
        (Expectation(answers=("ada",), within_s=1.0), asked_and_answered(after=1.25), [("within 1 s", "1.25 s")]),
        (
            Expectation(answers=("ada",), within_s=1.0),
            asked_and_answered()[:3],
            [("Ada answers", "nobody answered"), ("within 1 s", "no answer")],
        ),
        (Expectation(silent=("max",)), asked_and_answered(), []),
        (Expectation(silent=("max",)), [*asked_and_answered(), heard("max", 2.0, 2.3)], [("Max is silent", "heard")]),
        (Expectation(silent=("max",)), [heard("max", 0.2, 1.4), *asked_and_answered()], []),
        (Expectation(silent=("max",)), [*asked_and_answered(), heard("max", 9.0, 9.5)], []),
        (Expectation(said=TextTest(contains="BACKENDS")), asked_and_answered(), []),
        (Expectation(said=TextTest(matches="^I build")), asked_and_answered(), []),
        (
            Expectation(said=TextTest(contains="tea")),
            asked_and_answered(),
            [("the answer contains 'tea'", "“I build backends.”")],
        ),
        (Expectation(understood=TextTest(contains="build")), asked_and_answered(), []),
        (
            Expectation(understood=TextTest(matches="cook")),
            asked_and_answered()[:2],
            [("what is understood matches 'cook'", "nothing")],
        ),
    ],
)
def test_what_does_not_hold_is_told_with_what_was_seen(
    expect: Expectation, facts: Iterable[Fact], wrong: list[tuple[str, str]]
) -> None:
    document = judge(scenario(replace(ASKS, expect=expect)), recorded(*facts))
    assert failed(document) == wrong
    assert document.passed is not bool(wrong)
    assert all(check.line == 4 for check in document.failed)


@pytest.mark.parametrize(
    ("sounds", "silent_after"),
    [
        ([heard("ada", 0.0, 1.2)], 200.0),
        ([heard("ada", 0.0, 0.9), heard("ada", 1.3, 1.5)], 500.0),
        ([heard("ada", 0.0, 0.9)], 0.0),
        ([], None),
        ([heard("ada", 4.0, 5.0)], None),
    ],
)
def test_an_interruption_is_timed_from_the_first_word_until_the_agent_is_silent(
    sounds: list[Heard], silent_after: float | None
) -> None:
    step = replace(ASKS, while_speaking=True, expect=Expectation(silent_within_s=0.3))
    spoke = Spoke(step=0, identity="sam", began=1.0, ended=3.0)
    document = judge(scenario(step), recorded(StepBegan(step=0, at=0.9), spoke, *sounds, Played(at=9.0)))
    assert document.steps[0].what == "Sam interrupts"
    assert document.steps[0].silent_after_ms == silent_after
    assert document.passed is (silent_after is not None and silent_after <= 300)


def test_a_step_lasts_until_the_next_one_begins() -> None:
    steps = (ASKS, replace(ASKS, line=6, while_speaking=True))
    facts: list[Fact] = [
        StepBegan(step=0, at=0.9),
        Spoke(step=0, identity="sam", began=1.0, ended=3.0),
        StepEnded(step=0, at=4.0),
        Captioned(identity="ada", segment="a1", text="I build", began=4.05),
        StepBegan(step=1, at=4.8),
        Spoke(step=1, identity="sam", began=5.0, ended=6.0),
        heard("ada", 4.0, 5.2),
        StepEnded(step=1, at=9.0),
        Played(at=9.1),
    ]
    first, second = judge(scenario(*steps), recorded(*facts)).steps
    assert [answer.text for answer in first.answers] == ["I build"]
    assert (second.answers, second.silent_after_ms) == ((), 200.0)


def test_a_step_that_could_not_be_played_has_failed() -> None:
    missed = Missed(step=0, why="no agent was heard within 20 s")
    document = judge(scenario(ASKS, ASKS), recorded(StepBegan(step=0, at=0.0), missed))
    assert failed(document) == [
        ("the step can be played", "no agent was heard within 20 s"),
        ("the step can be played", "the play ended before"),
    ]


def test_the_whole_meeting_is_held_to_overlap_latency_and_transcript() -> None:
    expect = MeetingExpectation(
        line=9,
        overlap_below_s=0.3,
        p50_below_s=0.5,
        p95_below_s=2.0,
        transcript=(
            LineTest(10, TextTest(contains="backend"), "Ada"),
            LineTest(11, TextTest(contains="backend"), "Sam"),
            LineTest(12, TextTest(matches="what .* build")),
        ),
    )
    facts = [*asked_and_answered(), heard("max", 4.8, 9.0)]
    document = judge(scenario(ASKS, expect=expect), recorded(*facts))
    assert document.longest_overlap_ms == pytest.approx(800.0)
    assert [(check.what, check.got, check.line) for check in document.failed] == [
        ("overlap of agents below 300 ms", "800 ms", 9),
        ("latency p50 below 500 ms", "1 s", 9),
        ("the transcript contains 'backend' by Sam", "in none of 1 lines", 11),
    ]


def test_a_caption_that_was_corrected_counts_once_and_from_its_first_words() -> None:
    early = Captioned(identity="sam", segment="s1", text="Ada what do", began=3.1)
    document = judge(scenario(ASKS), recorded(early, *asked_and_answered()))
    assert document.steps[0].understood == "Ada, what do you build?"


def test_who_comes_back_is_still_the_same_person() -> None:
    steps = (ScenarioStep(3, Act.LEAVES, "Sam"), ScenarioStep(4, Act.JOINS, "Sam"), replace(ASKS, line=5))
    expect = MeetingExpectation(line=9, transcript=(LineTest(10, TextTest(contains="tea"), "Sam"),))
    record = recorded(Captioned(identity="sam-2", segment="s1", text="More tea!", began=1.0), Played(at=2.0))
    assert judge(scenario(*steps, expect=expect), record).checks[0].passed


@pytest.mark.parametrize(
    ("values", "percent", "wanted"), [([1.0], 95, 1.0), ([1.0, 2.0], 50, 1.0), ([*range(1, 21)], 95, 19)]
)
def test_a_percentile_is_one_of_the_values(values: list[float], percent: float, wanted: float) -> None:
    assert percentile(values, percent) == wanted


@pytest.mark.parametrize(
    ("expect", "used", "wrong"),
    [
        (ToolTest("search"), ["search", "search"], []),
        (ToolTest("search"), ["send"], [("search is called", "never; used were send")]),
        (ToolTest("search", 1), ["send", "search"], []),
        (
            ToolTest("search", 1),
            ["search", "search"],
            [("search is called once", "twice; used were search and search")],
        ),
        (ToolTest("search", 0), [], []),
        (ToolTest("search", 2), [], [("search is called twice", "no tool was used")]),
    ],
)
def test_tools_are_counted_in_the_step_in_which_they_were_used(
    expect: ToolTest, used: list[str], wrong: list[tuple[str, str]]
) -> None:
    asked = replace(ASKS, expect=Expectation(tools=expect))
    document = judge(scenario(asked), recorded(*asked_and_answered()), tools={0: used})
    assert failed(document) == wrong
    assert document.steps[0].tools == tuple(used)
