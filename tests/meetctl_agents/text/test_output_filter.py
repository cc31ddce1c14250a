"""What an agent says of what its model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.text.output_filter import LONGEST_SENTENCE, LONGEST_TURN, OutputFilter

NAMES = ("Ada", "Max", "Sam")


def said(text: str, size: int) -> str:
    words = OutputFilter(NAMES, own="Ada")
    pieces = [words.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*pieces, words.finish()])


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello there.", "Hello there."),
        ("Max: Hello there.", "Hello there."),
        ("**Max:** Hello there.", "Hello there."),
        ("Max: Sam: Hello.", "Hello."),
        ("assistant: Hello.", "Hello."),
        ("\n\n Hello.", "Hello."),
        ("Hello. Sam: And you? Max: Fine.", "Hello."),
        ("Hello.\nSam: And you?", "Hello."),
        ("Max: Hello.\nBob Smith: And you?", "Hello."),
        ("Hello.\n\nAnd one more thing.", "Hello.\n\nAnd one more thing."),
        ("I agree with Sam. Max is right.", "I agree with Sam. Max is right."),
        ("Three things: time, money, Sam.", "Three things: time, money, Sam."),
        ("Sam", "Sam"),
        ("", ""),
        ("There are two parts to the system: the queue, and the page.", None),
        ("My plan is simple.\nMonday: design.\nTuesday: build.", None),
        ("I would say this to Max: ship it.", None),
        ("My proposal:\nMax: the mail.\nSam: the page.", None),
        ("- Max: the mail.\n- Sam: the page.", None),
        ("Max, what do you think?", None),
        ("**Ship it** today.", None),
        ("Max: **Ship it** today.", "**Ship it** today."),
        ("Ada, I would ship it.", "I would ship it."),
        ("Ada: Ada, we ship it.", "We ship it."),
        ("Adam is right.", None),
        ("Hello.\nAda: And one more thing.", "Hello.\nAnd one more thing."),
        ("Max (product manager): Hello.", "Hello."),
        ("[Max]: Hello.", "Hello."),
        ("Max：你好。", "你好。"),
        ("你好。Sam：你好吗？", "你好。"),
        ("Hello.\nuser: And you?", "Hello."),
        ("Hello.<|im_end|>\n<|im_start|>user", "Hello."),
        ("<|im_start|>assistant\nHello.</s>", "Hello."),
        ("a < b and b > c [see below].", None),
    ],
)
def test_only_its_own_words_are_said_however_they_arrive(written: str, spoken: str | None, size: int) -> None:
    """`None`: all of it."""
    assert said(written, size).split() == (written if spoken is None else spoken).split()


def test_ordinary_words_are_said_at_once() -> None:
    words = OutputFilter(NAMES)
    assert words.feed("The ") == "The "
    assert words.feed("plan") == "plan"


def test_a_model_that_does_not_stop_is_stopped_at_the_end_of_a_sentence() -> None:
    words = OutputFilter(NAMES)
    spoken = "".join(words.feed("This is a sentence. ") for _ in range(100))
    assert words.done
    assert spoken.endswith(".")
    assert LONGEST_TURN <= len(spoken) <= LONGEST_TURN + 30


@given(st.text(max_size=3000), st.integers(1, 50))
def test_any_text_ends_within_the_bound(text: str, size: int) -> None:
    assert len(said(text, size)) <= LONGEST_TURN + LONGEST_SENTENCE + size


@given(st.text(alphabet="ab .,:\nSamMax", max_size=200), st.integers(1, 20))
def test_no_name_and_colon_ever_begins_what_is_said(text: str, size: int) -> None:
    spoken = said(text, size)
    assert not any(spoken.startswith(f"{name}:") for name in ("Sam", "Max"))
    assert not any(f". {name}:" in spoken for name in ("Sam", "Max"))


@pytest.mark.parametrize("size", [1, 1000])
def test_an_answer_without_blanks_ends_with_a_sentence(size: int) -> None:
    text = "我们先把数据库准备好，然后再发布产品。" * 30
    spoken = said(text, size)
    assert spoken.endswith("。")
    assert 80 <= len(spoken) <= 150
