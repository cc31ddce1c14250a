"""What the benchmarks measure by is fair."""

from __future__ import annotations

import pytest

from benchmarks.questions import QUESTIONS, Question


def test_there_are_twenty_questions_and_three_of_them_are_about_what_was_said_before() -> None:
    assert len({question.text for question in QUESTIONS}) == 20
    assert sum(bool(question.before) for question in QUESTIONS) == 3


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_no_word_that_an_answer_must_have_is_in_its_question(question: Question) -> None:
    assert not question.is_met_by(f"{question.to}, {question.text}")
