"""What an agent says of what its model streams: reasoning, calls, stage directions and other people's lines go."""

from __future__ import annotations

import pytest
from meetctl_agents.text.answer_text import SETTLING_S, AnswerText, ThinkingHabit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def answer_text(*, is_known_plain: bool = False, clock: Clock | None = None) -> AnswerText:
    return AnswerText(("Max", "Sam"), "Ada", ThinkingHabit(is_known_plain=is_known_plain), clock or Clock())


def said(text: AnswerText, *pieces: str) -> str:
    return " ".join("".join([*(text.feed(piece) for piece in pieces), text.finish()]).split())


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("<think>Hm.</think>\n\nAda: *nods* We ship it.\nMax: Good.", "We ship it."),
        ("The user asks for a date. I should answer.\n</think>\n\nOn Friday.", "On Friday."),
        ('I will look. <tool_call>{"name": "w", "arguments": {}}</tool_call>', "I will look."),
        ("There are two parts to the system: the queue, and the page.", None),
        ("I would say this to Max: ship it.", None),
        ("", ""),
    ],
)
def test_only_the_answer_is_said_however_it_arrives(written: str, heard: str | None, size: int) -> None:
    pieces = [written[start : start + size] for start in range(0, len(written), size)]
    assert said(answer_text(), *pieces) == (written if heard is None else heard)


def test_a_first_clause_waits_a_moment_for_a_closing_marker_and_then_goes() -> None:
    clock = Clock()
    text = answer_text(clock=clock)
    assert text.feed("We ship it on Friday, and ") == ""
    clock.now = SETTLING_S
    assert text.feed("then ") == "We ship it on Friday, and then"
    assert text.feed("rest.") == " rest."


def test_a_server_that_leaves_reasoning_out_is_spoken_at_once() -> None:
    assert answer_text(is_known_plain=True).feed("We ") == "We"


def test_a_model_that_was_seen_to_think_unmarked_is_waited_for_from_then_on() -> None:
    clock = Clock()
    habit = ThinkingHabit(is_known_plain=False)
    first = AnswerText((), "Ada", habit, clock)
    first.feed("Simple enough, it is four. ")
    clock.now = 10 * SETTLING_S
    first.feed("So say it.")
    assert first.feed("</think>Four.") == "Four."
    second = AnswerText((), "Ada", habit, clock)
    assert second.feed("Five minus one, then. ") == ""
    clock.now *= 2
    assert second.feed("Certainly. ") == ""
    assert second.feed("</think>Four.") + second.finish() == "Four."


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("<think>Two and two.</think>", "it only reasoned, and never came to an answer (Two and two.)"),
        ("<think>Two and", "it only reasoned, and never came to an answer (Two and)"),
        (
            '{"name": "w", "arguments": {}}',
            'it asked for a tool ({"name": "w", "arguments": {}}) and said nothing else',
        ),
        ("", "it wrote nothing that can be said"),
        ("Hello.", None),
    ],
)
def test_it_is_known_why_there_is_nothing_to_say(written: str, why: str | None) -> None:
    text = answer_text()
    said(text, written)
    assert text.explain_silence() == why
