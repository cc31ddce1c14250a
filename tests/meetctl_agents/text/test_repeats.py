"""What was said before is not said again."""

from __future__ import annotations

import pytest
from meetctl_agents.speaking.moves import NEXT_STEP
from meetctl_agents.text.repeats import SaidBefore, WithoutRepeats, sentences, wishes_to_hear_again

MAIL = "Max writes the mail on Monday morning at nine."
PLAN = "We should test the backend with real users before the launch on Friday."


def before(*texts: str) -> SaidBefore:
    said = SaidBefore()
    for text in texts:
        said.add(text)
    return said


def new(text: str, size: int, *earlier: str) -> str:
    repeats = WithoutRepeats(before(*earlier))
    pieces = [repeats.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return " ".join("".join([*pieces, repeats.finish()]).split())


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("text", "left"),
    [
        (PLAN, ""),
        ("we should test the backend with real users, before the launch on friday!", ""),
        ("We should test the backend with real people before the launch on Friday.", ""),
        (f"{PLAN} Then we write the mail.", "Then we write the mail."),
        (f"Good. {PLAN}", "Good."),
        ("We should test the backend with care, and ask Dr. Mills about it.", None),
        ("We should test it.", None),
        (
            "Max writes the mail on Monday morning at nine. Max writes the mail on Monday morning at nine.",
            "Max writes the mail on Monday morning at nine.",
        ),
        ("", ""),
    ],
)
def test_only_what_is_new_is_left_however_it_arrives(text: str, left: str | None, size: int) -> None:
    assert new(text, size, PLAN, "Good morning.", "We should test it.") == (text if left is None else left)


def test_sentences_without_blanks_are_known_again_too() -> None:
    said = "我们应该先把数据库准备好。"
    assert new(f"{said}然后再发布产品，好吗？", 1, said) == "然后再发布产品，好吗？"


def test_a_sentence_that_nobody_began_so_is_given_at_once() -> None:
    repeats = WithoutRepeats(before(PLAN))
    assert repeats.feed("The page ") == "The page "
    assert repeats.feed("is slow. ") == "is slow."
    assert repeats.feed("We should ") == ""
    assert repeats.feed("wait ") == " We should wait "


def test_what_was_left_out_is_known() -> None:
    repeats = WithoutRepeats(before(PLAN))
    assert repeats.feed(PLAN) + repeats.finish() == ""
    assert repeats.left_out == [PLAN] and not repeats.given


@pytest.mark.parametrize("text", ["Ada, say that again, please.", "Kannst du das wiederholen?", "もう一度お願いします"])
def test_a_wish_to_hear_it_again_is_understood(text: str) -> None:
    assert wishes_to_hear_again(text)
    assert not wishes_to_hear_again("Ada, what do you build?")


def test_an_abbreviation_ends_no_sentence() -> None:
    assert list(sentences("Ask Dr. Mills. Then go.")) == ["Ask Dr. Mills.", " Then go."]


@pytest.mark.parametrize("said", [NEXT_STEP, NEXT_STEP.strip("()")])
def test_what_a_model_is_told_to_do_is_no_answer(said: str) -> None:
    repeats = WithoutRepeats(before(), [NEXT_STEP])
    assert (repeats.feed(said) + repeats.finish()).strip() == ""
    assert repeats.left_out
