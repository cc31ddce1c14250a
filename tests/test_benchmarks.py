"""What the benchmarks measure by is fair."""

from __future__ import annotations

from typing import Any

import pytest

from meetctl.protocol import FloorChanged, FloorDecided, Line, Model, Unanswered, Unsaid, Utterance
from testing.talk.lost import ANSWERED, Record
from testing.talk.questions import QUESTIONS, Question
from testing.talk.reading import CountingServer
from testing.talk.ten_minutes import TURNS, judge
from testing.words import word_errors


def test_there_are_twenty_questions_and_three_of_them_are_about_what_was_said_before() -> None:
    assert len({question.text for question in QUESTIONS}) == 20
    assert sum(bool(question.before) for question in QUESTIONS) == 3


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_no_word_that_an_answer_must_have_is_in_its_question(question: Question) -> None:
    assert not question.is_met_by(f"{question.to}, {question.text}")


def test_ten_minutes_of_talk_are_judged_by_what_was_said_twice_and_by_open_questions() -> None:
    said = "We should test the whole backend before Friday."
    asked = {turn.text: turn for turn in TURNS}
    open_one, closed = asked["Ada, where do you keep the backups?"], asked["Ada, is that a good idea?"]
    verdict = judge([said, f"Yes. {said}"], [(open_one, "On disks."), (open_one, said), (closed, "Yes.")])
    assert verdict.said_twice == ("we should test the whole backend before friday",)
    assert verdict.too_short == ((open_one.text, "On disks."),)


def test_words_are_counted_wrong_once_each() -> None:
    assert word_errors("Mister John is here.", "Mr. Joan is") == (2, 4)


def test_tokens_that_were_read_before_are_counted_by_whom_they_were_read_for() -> None:
    def ask(counting: CountingServer, cached: int, *lines: str) -> None:
        total = sum(len(line) + 1 for line in lines)
        progress = {"total": total, "cache": cached, "processed": total}
        told = [{"role": "system" if number == 0 else "user", "content": line} for number, line in enumerate(lines)]
        server.progress = progress
        counting.handle_chat_completions({"messages": told}, lambda _: False)

    class Server:
        progress: dict[str, int]

        def handle_chat_completions(self, _: Any, take: Any) -> None:
            take({"prompt_progress": self.progress})

    server = Server()
    counting = CountingServer(server)
    ask(counting, 0, "You are Ada.", "Sam: 0123456789")
    assert (counting.reading.read, counting.reading.again) == (29, 0)
    ask(counting, 29, "You are Ada.", "Sam: 0123456789", "Eve: 01234")
    assert (counting.reading.read, counting.reading.again) == (40, 0)
    ask(counting, 13, "You are Ada.", "Eve: 01234", "Sam: new")
    assert (counting.reading.read, counting.reading.again) == (60, 11)
    ask(counting, 0, "You are Max.", "Eve: 01234")
    assert counting.reading.again == 11


NOTICED = "DEBUG meetctl_agents.hearing.listener: 'sam' begins to speak\n"
SAID = Utterance(line=Line(id="u1", at=0, speaker="Sam", identity="sam", text="Ada, when?"))
TO_ADA = FloorDecided(line_id="u1", speaker="sam", rule="name", agents=("ada",))
GRANTED = FloorChanged(holder="ada")


@pytest.mark.parametrize(
    ("log", "events", "stage"),
    [
        ("", (), "the detector noticed nothing"),
        (NOTICED, (), "the recogniser understood nothing"),
        (
            NOTICED,
            (FloorDecided(line_id="u1", speaker="sam", rule="statement"), SAID),
            "it was taken to be meant for somebody else (statement)",
        ),
        (NOTICED, (TO_ADA, SAID), "nobody who was asked was granted the floor"),
        (
            NOTICED,
            (TO_ADA, SAID, GRANTED, Unanswered(identity="ada", line_id="u1", speaker="sam", reason=Unsaid.FAILED)),
            "whoever had the floor said nothing (failed)",
        ),
        (NOTICED + "ada is cut off", (TO_ADA, SAID, GRANTED), "the answer was cut off before it was heard"),
        (NOTICED, (TO_ADA, SAID, GRANTED), "the answer was not heard"),
    ],
)
def test_where_a_question_got_lost_is_read_from_what_was_recorded(
    log: str, events: tuple[Model, ...], stage: str
) -> None:
    record = Record(1, "plainly", "sam", "Ada, when?", ("ada",), 1.5, events=events, log=log)
    assert record.stage == stage
    assert record.shown()["stage"] == stage
    # What Ada goes on to say is no answer to what she was not asked.
    record.heard = {"ada": 2.25}
    assert (record.stage, record.latency_ms) == (ANSWERED if TO_ADA in events else stage, 750.0)


def test_a_question_to_the_room_is_lost_where_nobody_is_granted_the_floor() -> None:
    to_the_room = FloorDecided(line_id="u1", speaker="sam", rule="open question")
    record = Record(1, "of the room", "sam", "When?", ("ada", "max"), 1.5, events=(to_the_room, SAID), log=NOTICED)
    assert record.stage == "nobody who was asked was granted the floor"
