"""What wants a sentence for an answer is told from what yes or no is enough for."""

from __future__ import annotations

import pytest
from meetctl_agents.text.questions import is_open_question


@pytest.mark.parametrize(
    "text",
    [
        "Ada, what should we do?",
        "When is the launch?",
        "Is it late? And why?",
        "Max, please sum up what we decided.",
        "Ada, wie geht das?",
        "Max and Ada, how do we find out?",
        "这个怎么做？",
    ],
)
def test_an_open_question_is_one(text: str) -> None:
    assert is_open_question(text)


@pytest.mark.parametrize(
    "text", ["Ada, is that a good idea?", "Should we wait?", "So, Max, do you agree?", "Thank you.", "We ship.", ""]
)
def test_a_question_for_yes_or_no_and_a_statement_are_none(text: str) -> None:
    assert not is_open_question(text)
