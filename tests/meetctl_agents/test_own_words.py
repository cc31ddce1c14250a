"""What an agent says of what its model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.own_words import LONGEST_SENTENCE, LONGEST_TURN, OwnWords

NAMES = ("Ada", "Max", "Sam", "user", "assistant")


def said(text: str, size: int) -> str:
    words = OwnWords(NAMES)
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
        ("Hello.\nBob Smith: And you?", "Hello."),
        ("Hello.\n\nAnd one more thing.", "Hello.  And one more thing."),
        ("I agree with Sam. Max is right.", "I agree with Sam. Max is right."),
        ("Three things: time, money, Sam.", "Three things: time, money, Sam."),
        ("Sam", "Sam"),
        ("", ""),
    ],
)
def test_only_its_own_words_are_said_however_they_arrive(written: str, spoken: str, size: int) -> None:
    assert said(written, size).rstrip() == spoken


def test_ordinary_words_are_said_at_once() -> None:
    words = OwnWords(NAMES)
    assert words.feed("The ") == "The "
    assert words.feed("plan") == "plan"


def test_a_model_that_does_not_stop_is_stopped_at_the_end_of_a_sentence() -> None:
    words = OwnWords(NAMES)
    spoken = "".join(words.feed("This is a sentence. ") for _ in range(100))
    assert words.done
    assert spoken.endswith(".")
    assert LONGEST_TURN <= len(spoken) <= LONGEST_TURN + 30


@given(st.text(max_size=3000), st.integers(1, 50))
def test_any_text_ends_within_the_bound(text: str, size: int) -> None:
    assert len(said(text, size)) <= LONGEST_TURN + LONGEST_SENTENCE + size


@given(st.text(alphabet="ab .,:\nSamMax", max_size=200), st.integers(1, 20))
def test_no_name_and_colon_is_ever_said(text: str, size: int) -> None:
    spoken = said(text, size)
    assert not any(f" {name}:" in f" {spoken}" for name in ("Sam", "Max"))
