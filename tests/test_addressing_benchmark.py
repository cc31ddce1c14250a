"""The benchmark of addressing plays the live code, and says what is wrong with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from meetctl_agents.floor.addressing import rules

from testing.addressing.program import main
from testing.addressing.scored import how_missed

STANDUP: dict[str, Any] = {
    "id": "standup",
    "language": "en",
    "agents": [{"name": "Ada", "identity": "ada", "persona": "You are a backend engineer."}, {"name": "Max"}],
    "people": ["Sam", "Eve"],
    "turns": [
        {"speaker": "Sam", "text": "Ada, is it ready?", "kind": "vocative-start", "expect": ["ada"]},
        {"speaker": "ada", "text": "It is. Max tested it."},
        {"speaker": "Eve", "text": "Since when?", "kind": "follow-up", "expect": ["ada"]},
        {"speaker": "Sam", "text": "Eve, have you seen it?", "kind": "person-addressed", "expect": []},
        {"speaker": "Eve", "text": "Not yet.", "kind": "person-reply", "expect": []},
        {"speaker": "Sam", "text": "Does anybody know the date?", "kind": "open-question", "expect": ["*"]},
        {"speaker": "Eve", "text": "First Max, then Ada.", "kind": "all", "expect_any": [["max", "ada"], []]},
    ],
}


def write(folder: Path, *meetings: object) -> str:
    file = folder / "meetings.jsonl"
    file.write_text("\n".join(json.dumps(meeting) for meeting in meetings), encoding="utf-8")
    return str(file)


def test_every_turn_of_a_plain_meeting_reaches_whom_it_is_meant_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(tmp_path, STANDUP), "-v", "--at-least", "1"]) == 0
    assert "100.0 %     6 of    6  of all turns" in capsys.readouterr().out


def test_the_rehearsed_scenes_reach_whom_they_are_meant_for_in_german_too(capsys: pytest.CaptureFixture[str]) -> None:
    scenes = Path(__file__).parent / "scenarios" / "who_is_meant.de.jsonl"
    assert main([str(scenes), "-v", "--at-least", "1"]) == 0, capsys.readouterr().out


def test_a_live_rule_that_is_taken_away_is_seen_in_the_figure_and_named_by_the_miss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tuple(rule for rule in rules.RULES if rule.__name__ != "continuation")
    monkeypatch.setattr(rules, "RULES", others)
    assert main([write(tmp_path, STANDUP), "-v", "--at-least", "0.98"]) == 1
    shown = capsys.readouterr().out
    assert "'Since when?'  meant for ada, given to max, by open question" in shown
    assert " 83.3 %     5 of    6" in shown


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"agents": []}, "agents"),
        ({"agents": [{"name": "Ada"}, {"name": "ADA", "identity": "other"}], "turns": []}, "'ADA'"),
        ({"turns": [{"speaker": "Tom", "text": "Hi.", "kind": "statement", "expect": []}]}, "'Tom'"),
        ({"turns": [{"speaker": "Sam", "text": "Hi.", "kind": "chatter", "expect": []}]}, "kind"),
        ({"turns": [{"speaker": "Sam", "text": "Hi.", "kind": "statement", "expect": ["zoe"]}]}, "'zoe'"),
        ({"turns": [{"speaker": "Sam", "text": "Hi.", "kind": "statement"}]}, "not what is expected"),
        ({"turns": [{"speaker": "Sam", "text": "Hi.", "expect": []}]}, "not of what kind"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(
    change: dict[str, Any], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(tmp_path, STANDUP, STANDUP | change)]) == 2
    told = capsys.readouterr().err
    assert "meetings.jsonl:2: " in told
    assert why in told


def test_an_agent_may_be_called_as_the_meeting_calls_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    debate = STANDUP | {
        "agents": [{"name": "Moderator"}, {"name": "Max"}],
        "turns": [{"speaker": "Sam", "text": "Over to you, Moderator.", "kind": "handover", "expect": ["moderator"]}],
    }
    assert main([write(tmp_path, debate), "--at-least", "1"]) == 0, capsys.readouterr().out


def test_a_line_that_is_no_json_is_told_with_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(json.dumps(STANDUP) + "\n\n{", encoding="utf-8")
    assert main([str(file)]) == 2
    assert "broken.jsonl:3: no JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("allowed", "granted", "miss"),
    [
        ([["ada"]], ["ada"], None),
        ([["*"]], ["max"], None),
        ([["ada"], []], [], None),
        ([["max", "ada"]], ["ada", "max"], "wrong agent"),
        ([[]], ["ada"], "barged in"),
        ([["*"]], [], "too few"),
        ([["*"]], ["ada", "max"], "too many"),
        ([["ada", "max"]], ["ada"], "too few"),
        ([["ada"]], ["ada", "max"], "too many"),
        ([["ada"]], ["max"], "wrong agent"),
        ([["ada"]], [], "too few"),
    ],
)
def test_a_miss_is_counted_as_what_it_was(allowed: list[list[str]], granted: list[str], miss: str | None) -> None:
    assert how_missed(allowed, granted) == miss
