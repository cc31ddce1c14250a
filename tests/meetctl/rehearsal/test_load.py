"""What a scenario file becomes, and what is said of a wrong one: every fault at once, each with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meetctl.errors import ExitCode
from meetctl.local.models.voices import VOICES as LOCAL_VOICES
from meetctl.protocol.rehearsal import Act
from meetctl.rehearsal.load import ScenarioFaults, load_scenario
from meetctl.rehearsal.scenario import (
    Expectation,
    LineTest,
    MeetingExpectation,
    PlayedPerson,
    Scenario,
    ScenarioStep,
    TextTest,
)
from meetctl.rehearsal.written import VOICES
from meetctl.roster import RosterFaults

CONFIGS = Path(__file__).parents[3] / "configs"
SCENARIOS = Path(__file__).parents[2] / "scenarios"

ROSTER = "{agents: [{name: Ada, agent: audio}, {name: Max, agent: audio}]}"

Load = Callable[[str], Scenario]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_text(text: str) -> Scenario:
        file = tmp_path / "scenario.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file, environment={}, room="rehearsal-1")

    return load_text


def scenario(steps: str, *, people: str = "{Sam: alto}", rest: str = "") -> str:
    """Returns a scenario whose steps begin on line 4."""
    return f"roster: {ROSTER}\npeople: {people}\nsteps:\n{steps}\n{rest}"


def test_a_scenario_becomes_people_steps_and_expectations(load: Load) -> None:
    got = load(
        scenario(
            """\
  - Sam says: "Ada, what do you build?"
    expect: {answers: Ada, within: 5s, silent: others, matches: "(?i)build$", understood: build}
  - Eve joins
  - Eve interrupts: Stop.
    expect: {silent_within: 500ms, silent: [Max]}
  - Eve leaves:
    when: speaking
  - wait: 2
    expect: {silent: everyone}
  - Sam writes: "Hello, Max"
  - kill: max
  - kill: chair
""",
            people="{Sam: {voice: bass, pitch: 1.1}, Eve: }",
            rest="expect:\n  overlap_below: 300ms\n  transcript:\n    - backend\n    - {speaker: Ada, matches: x}\n",
        )
    )
    assert got.people == (
        PlayedPerson("Sam", "sam", "bass,pitch=1.1", here=True),
        PlayedPerson("Eve", "eve", "baritone", here=False),
    )
    assert got.steps == (
        ScenarioStep(
            4,
            Act.SAYS,
            "Sam",
            "Ada, what do you build?",
            expect=Expectation(
                answers=("ada",),
                silent=("max",),
                within_s=5.0,
                said=TextTest(matches="(?i)build$"),
                understood=TextTest(contains="build"),
            ),
        ),
        ScenarioStep(6, Act.JOINS, "Eve"),
        ScenarioStep(
            7, Act.SAYS, "Eve", "Stop.", while_speaking=True, expect=Expectation(silent=("max",), silent_within_s=0.5)
        ),
        ScenarioStep(9, Act.LEAVES, "Eve", while_speaking=True),
        ScenarioStep(11, Act.WAITS, seconds=2.0, expect=Expectation(silent=("ada", "max"))),
        ScenarioStep(13, Act.WRITES, "Sam", "Hello, Max"),
        ScenarioStep(14, Act.KILLS, target="max"),
        ScenarioStep(15, Act.KILLS, target="chair"),
    )
    assert got.expect == MeetingExpectation(
        line=17,
        overlap_below_s=0.3,
        transcript=(LineTest(20, TextTest(contains="backend")), LineTest(21, TextTest(matches="x"), "Ada")),
    )
    assert (got.roster.room, got.roster.livekit) == ("rehearsal-1", None)


@pytest.mark.parametrize(
    ("steps", "line", "words"),
    [
        ("  - Sam sais: Hi", 4, "did you mean Sam says?"),
        ("  - Sam says:", 4, "must be a text, got nothing"),
        ("  - Sam says: 5", 4, "must be a text, got 5"),
        ("  - Sam says", 4, "must be a text, got nothing"),
        ("  - Sam leaves: now", 4, "takes no text"),
        ("  - hello", 4, "not understood: 'hello'"),
        ("  - [Sam]", 4, "must be a step"),
        ("  - expect: {answers: Ada}", 4, "does not say what happens in this step"),
        ("  - Sam says: Hi\n    expekt: {answers: Ada}", 5, "did you mean expect?"),
        ("  - Sam says: Hi\n    Sam leaves:", 5, "a second sentence"),
        ("  - Sam says: Hi\n    when: later", 5, "must be speaking"),
        ("  - wait: long", 4, "not a duration"),
        ("  - wait: 0", 4, "more than nothing"),
        ("  - kill: Zoe", 4, "no agent is called 'Zoe'"),
        ("  - Tom says: Hi", 4, "nobody is called 'Tom'"),
        ("  - San says: Hi", 4, "did you mean Sam?"),
        ("  - Sam leaves\n  - Sam says: Hi", 5, "Sam left on line 4"),
        ("  - Sam says: Hi\n  - Sam joins", 5, "Sam is there already"),
        ("  - Sam says: Hi\n    expect: {}", 5, "expects nothing"),
        ("  - Sam says: Hi\n    expect: {answer: Ada}", 5, "did you mean answers?"),
        ("  - Sam says: Hi\n    expect: {answers: Adda}", 5, "did you mean Ada?"),
        ("  - Sam says: Hi\n    expect: {answers: []}", 5, "is empty"),
        ("  - Sam says: Hi\n    expect: {answers: Ada, silent: Ada}", 5, "ada is to answer and to be silent"),
        ("  - Sam says: Hi\n    expect:\n      within: 5s", 6, "of whose answer?"),
        ("  - Sam says: Hi\n    expect: {silent_within: 1s}", 5, "nobody is interrupted here"),
        ("  - Sam leaves:\n    expect: {understood: hi}", 5, "nothing is said here"),
        ("  - Sam says: Hi\n    expect: {matches: '('}", 5, "not a regular expression"),
        ("  - Sam says: Hi\n    expect: {answers: Ada, within: soon}", 5, "not a duration"),
    ],
)
def test_a_wrong_step_is_told_with_its_line_and_what_to_write(load: Load, steps: str, line: int, words: str) -> None:
    with pytest.raises(ScenarioFaults) as caught:
        load(scenario(steps))
    error = caught.value
    assert (error.code, error.exit_code) == ("scenario", ExitCode.USAGE)
    told = f"{error.message} {error.hint}"
    assert f"scenario.yaml:{line}: " in told
    assert words in told
    assert error.hint


def test_every_fault_is_told_at_once(load: Load) -> None:
    text = scenario(
        "  - Sam sais: Hi\n  - Tom leaves\n  - wait: x",
        people="{Sam: altoo, Ada: alto}",
        rest="expect: {overlap: 1s, transcript: [{contain: x}]}\n",
    )
    with pytest.raises(ScenarioFaults) as caught:
        load(text)
    lines = caught.value.message.splitlines()
    assert [int(line.split(":")[1]) for line in lines] == [2, 2, 4, 5, 6, 7, 7]
    assert caught.value.hint is not None
    assert "meetctl rehearse" in caught.value.hint


@pytest.mark.parametrize("text", ["", "steps: []", "[1]", "roster: x\n", "a: b: c"])
def test_a_file_that_is_no_scenario_is_refused(load: Load, text: str) -> None:
    with pytest.raises(ScenarioFaults):
        load(text)


def test_a_fault_of_an_inline_roster_stands_on_its_line_in_the_scenario(load: Load) -> None:
    with pytest.raises(ScenarioFaults, match=r"scenario\.yaml:4: .*unset|scenario\.yaml:4: .*KEY"):
        load(
            "people: {Sam: alto}\nroster:\n  agents:\n    - {name: Ada, agent: audio, persona: '${NO_KEY_AT_ALL}'}\n"
            "steps:\n  - Sam says: Hi\n"
        )


def test_a_roster_in_a_file_of_its_own_is_found_beside_the_scenario(load: Load, tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("agents: [{name: Zoe, agent: audio}]")
    got = load("roster: cast.yaml\npeople: {Sam: alto}\nsteps: [Sam leaves]\n")
    assert [entry.name for entry in got.roster.agents] == ["Zoe"]
    (tmp_path / "cast.yaml").write_text("agents: [{nam: Zoe, agent: audio}]")
    with pytest.raises(RosterFaults, match=r"cast\.yaml:1"):
        load("roster: cast.yaml\npeople: {Sam: alto}\nsteps: [Sam leaves]\n")


def test_a_person_named_like_an_agents_identity_gets_another(load: Load) -> None:
    got = load(
        "roster: {agents: [{name: Ada, identity: sam, agent: audio}]}\npeople: {Sam: alto}\nsteps: [Sam leaves]\n"
    )
    assert [person.identity for person in got.people] == ["sam-person"]


def test_the_voices_are_those_of_the_local_model_server() -> None:
    assert set(VOICES) == set(LOCAL_VOICES)


@pytest.mark.parametrize(
    "file", [CONFIGS / "rehearsal.yaml", *sorted(SCENARIOS.glob("*.yaml"))], ids=lambda file: str(file.name)
)
def test_every_scenario_of_ours_loads(file: Path) -> None:
    assert load_scenario(file, environment={}, room="rehearsal-1").steps
