"""Rehearsals through the installed command: what holds passes, what does not is named, and nothing is left behind."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from meetctl.supervisor.sweep import marked
from testing.agents.scripted_models import Asks, scripted_models
from testing.fixtures.command import Meetctl

SCENARIOS = Path(__file__).parents[1] / "scenarios"
PLAY_S = 600.0
"""Ten turns take under two minutes on two idle cores."""

TWO_TURNS = """
roster:
  meeting: {topic: Friday's launch, max_agent_turns: 1}
  defaults: {llm: {provider: local, model: tiny, options: {max_completion_tokens: 24}}, stt: local/tiny}
  agents:
    - {name: Ada, agent: audio, persona: You build backends.}
    - {name: Max, agent: audio, persona: You are the product manager.}
people: {Sam: alto, Eve: baritone}
steps:
  - Sam says: "Ada, what do you build?"
    expect: {answers: Ada, silent: others, understood: build}
  - Eve says: "Max, what do the users want?"
    expect: {answers: FIRST, silent: SECOND, contains: TEXT}
expect: {overlap_below: 300ms}
"""


@pytest.fixture
def two_turns(tmp_path: Path) -> Path:
    path = tmp_path / "scenarios" / "two.yaml"
    path.parent.mkdir()
    path.write_text(TWO_TURNS.replace("FIRST", "Max").replace("SECOND", "Ada").replace(", contains: TEXT", ""))
    return path


def nothing_is_left(meetctl: Meetctl) -> bool:
    """Returns whether no process of any rehearsal runs and no meeting is noted."""
    notes = [path for path in meetctl.runtime_dir.glob("*") if path.suffix != ".lock"]
    return not notes and meetctl.status() == []


def logs(meetctl: Meetctl) -> list[Path]:
    return list((Path(meetctl.environment["XDG_STATE_HOME"]) / "meetctl").glob("rehearsal-*/*"))


def writes(asked: dict[str, Any]) -> str | Asks:
    """Returns what the agents of `who_is_meant.yaml` say: a few words to each question; Max asks, and uses a tool."""
    last = str(asked["messages"][-1]["content"]).casefold()
    if asked["messages"][-1]["role"] == "tool":
        return f"Done, {last}."
    if "tell the customers" in last and asked.get("tools"):
        return Asks((("tell_customers", "{}"),))
    answers = {
        "ready": "It is ready.",
        "how long": "Two days.",
        "product manager": "Shall we begin on Monday?",
        "yes": "Then Monday it is.",
        "cost": "Not much.",
    }
    return next((answer for words, answer in answers.items() if words in last), "I have nothing to say to that.")


async def test_in_a_rehearsal_each_agent_answers_what_is_meant_for_it_and_nothing_is_left(meetctl: Meetctl) -> None:
    async with scripted_models("http://127.0.0.1:9", writes) as mind:
        scenario = str(SCENARIOS / "who_is_meant.yaml")
        ran = await asyncio.to_thread(meetctl, "rehearse", scenario, "--json", env={"MIND": f"{mind}/v1"})
    assert ran.code == 0, ran.out + ran.err
    outcome = ran.json()
    assert outcome["passed"] is True
    answers = [[answer["agent"] for answer in step["answers"]] for step in outcome["steps"]]
    assert answers == [["Ada"], ["Ada"], [], [], ["Max"], ["Max"], [], ["Ada"], ["Max"]]
    assert "server" in outcome["steps"][0]["understood"].lower()
    for step in outcome["steps"]:
        for answer in step["answers"]:
            assert answer["text"]
            assert answer["sound_ms"] > 300
            assert 300 < answer["latency_ms"] < 25_000
        assert all(check["passed"] for check in step["checks"])
    assert [step["tools"] for step in outcome["steps"]] == [[]] * 8 + [["tell_customers"]]
    assert outcome["latency_ms"]["count"] == 6
    assert outcome["longest_overlap_ms"] == 0
    assert outcome["logs"] is None
    assert logs(meetctl) == []
    assert nothing_is_left(meetctl)


def test_an_expectation_that_fails_is_named_with_its_line_and_what_was_seen(meetctl: Meetctl, two_turns: Path) -> None:
    text = TWO_TURNS.replace("FIRST", "Ada").replace("SECOND", "Max").replace("TEXT", "xylophone")
    two_turns.write_text(text)
    line = text[: text.index("Eve says")].count("\n") + 1
    ran = meetctl("rehearse", "scenarios/two.yaml")
    assert ran.code == 1, ran.out + ran.err
    failures = [words for words in ran.out.splitlines() if words.startswith("✗")]
    where = f"✗ scenarios/two.yaml:{line}: step 2, Eve says: "
    assert [words.removeprefix(where).split(";")[0] for words in failures] == [
        "Ada answers",
        "Max is silent",
        "the answer contains 'xylophone'",
    ]
    assert "Sam says: Ada, what do you build?" in ran.err
    (kept,) = logs(meetctl)
    assert f"logs: {kept}" in ran.out
    assert {"transcript.jsonl", "player.log", "chair.log", "ada.log"} <= {path.name for path in kept.iterdir()}
    assert nothing_is_left(meetctl)


def test_a_wrong_scenario_starts_nothing_and_is_told_by_line(meetctl: Meetctl, two_turns: Path) -> None:
    two_turns.write_text(TWO_TURNS.replace("FIRST", "Adda").replace("silent: SECOND", "silnt: Max"))
    ran = meetctl("rehearse", str(two_turns), "--json")
    assert (ran.code, ran.json()["error"]["code"]) == (2, "scenario")
    line = TWO_TURNS[: TWO_TURNS.index("FIRST")].count("\n") + 1
    faults = ran.json()["error"]["message"].splitlines()
    assert all(f"two.yaml:{line}: " in fault for fault in faults)
    assert ["did you mean Ada?" in faults[0], "did you mean silent?" in faults[1]] == [True, True]
    missing = meetctl("rehearse", "nowhere.yaml")
    assert missing.code == 2
    assert "no such file" in missing.err
    assert logs(meetctl) == []


def test_a_rehearsal_that_is_interrupted_ends_everything(meetctl: Meetctl, two_turns: Path) -> None:
    running = meetctl.start("rehearse", str(two_turns))
    assert running.stderr is not None
    for words in running.stderr:
        if words.startswith("1/2 Sam says"):
            break
    (note,) = list(meetctl.runtime_dir.glob("rehearsal-*.json"))
    meeting = meetctl.note(note.stem)["meeting"]
    assert marked(meeting)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    until = time.monotonic() + 15
    while marked(meeting) and time.monotonic() < until:
        time.sleep(0.05)
    assert marked(meeting) == set()
    assert nothing_is_left(meetctl)


@pytest.mark.soak
@pytest.mark.parametrize("name", ["four_turns", "ten_turns"])
def test_turns_of_two_people_and_three_agents(meetctl: Meetctl, name: str) -> None:
    ran = meetctl("rehearse", str(SCENARIOS / f"{name}.yaml"), within=PLAY_S)
    assert ran.code == 0, ran.out + ran.err


@pytest.mark.soak
@pytest.mark.parametrize("name", ["forty_turns", "killed"])
def test_a_long_meeting_and_one_whose_processes_are_killed(meetctl: Meetctl, name: str) -> None:
    ran = meetctl("rehearse", str(SCENARIOS / f"{name}.yaml"), within=3 * PLAY_S)
    assert ran.code == 0, ran.out + ran.err
