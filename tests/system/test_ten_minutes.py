"""Ten minutes of two people and two agents on the local models: nothing is said twice, and questions get answers.

The whole meeting, with voices and ears, belongs to the soak; its transcript and counts are printed (`pytest -s`). Its
short form goes the same way in text.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from meetctl.roster import load_roster
from testing.agents.human import synthesised
from testing.fixtures.command import Meetctl
from testing.talk import DEMO
from testing.talk.ten_minutes import TURNS, Turn, judge
from testing.talk.text_meeting import TextMeeting
from tests.system.standing import Standing, standing
from tests.system.test_hour import Person

EVERY_S = 20.0
"""So often somebody says something: thirty lines take ten minutes."""
ANSWER_S = 60.0
AGENTS = ("Ada", "Max")
TOUCHED = ("shortened", "asked_again", "left_out")
VOICES = {"Sam": "pitch=0.9", "Eve": "pitch=1.3"}
SHORT_FORM = TURNS[1:6]
ROSTER = """
room: ten
meeting: {topic: Friday's launch}
agents:
  - name: Ada
    agent: audio
    persona: You build backends. You like simple, reliable systems and say so in one or two short sentences.
  - name: Max
    agent: audio
    persona: You are the product manager. You care about what users feel, and answer in one or two short sentences.
"""

Line = dict[str, Any]


@pytest.mark.soak
def test_in_ten_minutes_nothing_is_said_twice_and_open_questions_get_whole_sentences(meetctl: Meetctl) -> None:
    with standing(meetctl, ROSTER, "ten", "--wait", "--timeout", "300") as meeting:
        began_at = asyncio.run(hold(meeting, meeting.until_whole()["models"]["url"]))
        repeats = [agent["repeats"] or {} for agent in meeting.document()["agents"]]
        lines = lines_of(meeting)
    totals = {key: sum(each.get(key, 0) for each in repeats) for key in ("answers", *TOUCHED)}
    print("\n".join(f"{line['speaker']}: {line['text']}" for line in lines), f"\n{totals}")
    answers = [(turn, answer) for turn, answer in zip(TURNS, answers_of(lines, began_at), strict=True) if turn.to]
    verdict = judge([line["text"] for line in lines if line["speaker"] in AGENTS], answers)
    assert verdict.said_twice == ()
    assert verdict.too_short == ()
    assert sum(totals[key] for key in TOUCHED) <= totals["answers"] / 10


async def test_in_its_short_form_nothing_is_said_twice_either(model_server: str) -> None:
    async with TextMeeting(load_roster(DEMO, environment={}), model_server) as meeting:
        await meeting.hold(SHORT_FORM)
    assert len(meeting.answers) == meeting.repeats.answers == sum(len(turn.to) for turn in SHORT_FORM)
    assert judge(meeting.said, meeting.answers).said_twice == ()


async def hold(meeting: Standing, models_url: str) -> list[float]:
    """Has the two people say their lines; returns when each began, Unix time."""
    began: list[float] = []
    people = {name: Person(meeting, name, {}) for name in VOICES}
    try:
        for person in people.values():
            await person.come()
        start = time.monotonic()
        for number, turn in enumerate(TURNS):
            await asyncio.sleep(max(0.0, start + number * EVERY_S - time.monotonic()))
            sound = await synthesised(models_url, turn.text, VOICES[turn.who])
            before = len(lines_of(meeting))
            began.append(time.time())
            await people[turn.who].human.say(sound)
            await answered(meeting, turn, before)
    finally:
        for person in people.values():
            await person.go()
    return began


async def answered(meeting: Standing, turn: Turn, before: int) -> None:
    """Waits until everybody who was asked has answered, for a while."""
    end = time.monotonic() + ANSWER_S
    while time.monotonic() < end:
        spoke = {line["speaker"] for line in lines_of(meeting)[before:]}
        if set(turn.to) <= spoke:
            return
        await asyncio.sleep(0.5)


def lines_of(meeting: Standing) -> list[Line]:
    """Returns what was said, in its order; a later record takes the place of an earlier one of its id."""
    text = (meeting.log_dir / "transcript.jsonl").read_text(encoding="utf-8")
    lines = {line["id"]: line for line in map(json.loads, text.splitlines()) if line["kind"] == "speech"}
    return sorted(lines.values(), key=lambda line: datetime.fromisoformat(line["time"]))


def answers_of(lines: list[Line], began_at: list[float]) -> list[str]:
    """Returns what agents said from one line of people's to the next."""
    return [
        " ".join(
            line["text"]
            for line in lines
            if line["speaker"] in AGENTS and start <= datetime.fromisoformat(line["time"]).timestamp() < end
        )
        for start, end in pairwise([*began_at, math.inf])
    ]
