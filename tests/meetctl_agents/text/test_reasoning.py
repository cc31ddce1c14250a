"""What a model thinks aloud is not said."""

from __future__ import annotations

import pytest
from meetctl_agents.text.reasoning import Reasoning

ANSWER = "The answer is four."
FORMS = [
    "<think>Two and two.</think>{}",
    "<think>\nTwo and two.\n</think>\n\n{}",
    "<thinking>Two and two.</thinking>{}",
    "<Thought>Two <b>and</b> two.</Thought>{}",
    "<reasoning>Two and two.</reasoning><answer>{}</answer>",
    "<think>Two.</think><think>And two.</think>{}",
    "[THINK]Two and two.[/THINK]{}",
    "◁think▷Two and two.◁/think▷{}",
    "<seed:think>Two and two.</seed:think>{}",
    "<|begin_of_thought|>Two and two.<|end_of_thought|><|begin_of_solution|>{}<|end_of_solution|>",
    "<|START_THINKING|>Two and two.<|END_THINKING|><|START_RESPONSE|>{}<|END_RESPONSE|>",
    "<|channel|>analysis<|message|>Two and two.<|end|><|start|>assistant<|channel|>final<|message|>{}",
    "<|channel|>analysis<|message|>Two.<|end|><|start|>assistant<|channel|>commentary to=functions.add "
    "<|constrain|>json<|message|>{{}}<|call|><|start|>assistant<|channel|>final<|message|>{}",
    "<|channel>thought\nTwo and two.<channel|>{}",
    "analysisTwo and two.assistantfinal{}",
    "Thinking...\nTwo and two.\n...done thinking.\n\n{}",
    "Here is my thought process:\nTwo and two.\nHere is my response:\n{}",
    "{}<think>Was that right?</think>",
    "{}<think>Was that",
    "{}",
]


def answered(text: str, size: int) -> str:
    reasoning = Reasoning()
    pieces = [reasoning.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*pieces, reasoning.finish()])


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_only_the_answer_is_left_in_whatever_markers_it_comes(form: str, size: int) -> None:
    assert answered(form.format(ANSWER), size).strip() == ANSWER


@pytest.mark.parametrize("closing", ["</think>", "</thinking>", "[/THINK]", "◁/think▷", "<|end_of_thought|>"])
def test_reasoning_whose_opening_marker_stood_in_the_prompt_is_left_out(closing: str) -> None:
    reasoning = Reasoning()
    assert reasoning.feed(f"Two and two make four, so.\n{closing}\n\n{ANSWER}") == ANSWER
    assert reasoning.unopened


@pytest.mark.parametrize(
    "text",
    [
        "If a < b and c > d, think again.",
        "Use a <b>bold</b> word, [think] about it later",
        "analysis is what we need.",
        "Thinking... is what I do.",
        "He said: think!",
        "An answer with <unknown> tags.",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_ordinary_text_passes_untouched(text: str, size: int) -> None:
    assert answered(text, size) == text.replace("[think] about it later", "")


def test_words_that_begin_no_marker_pass_at_once() -> None:
    reasoning = Reasoning()
    assert reasoning.feed("We ship ") == "We ship "
    assert reasoning.feed("it.") == "it."


def test_what_was_thought_is_known_where_no_answer_follows() -> None:
    reasoning = Reasoning()
    assert reasoning.feed("<think>Two and two, and then") + reasoning.finish() == ""
    assert reasoning.thought == "Two and two, and then"
