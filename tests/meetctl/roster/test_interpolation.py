"""Compose's grammar in a table, and its properties by hypothesis."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.roster.interpolation import MAX_DEPTH, InterpolationError, interpolate

ENVIRONMENT = {"SET": "value", "EMPTY": "", "OTHER": "other", "DOLLAR": "$SET ${SET}"}

names = st.text(string.ascii_letters + "_", min_size=1, max_size=8)
plain_texts = st.text(st.characters(exclude_characters="$}", exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("plain {room} text", "plain {room} text"),
        ("$SET", "value"),
        ("$SET-more", "value-more"),
        ("${SET}", "value"),
        ("a${SET}b${OTHER}c", "avaluebotherc"),
        ("${EMPTY}", ""),
        ("${SET:-d}", "value"),
        ("${EMPTY:-d}", "d"),
        ("${UNSET:-d}", "d"),
        ("${UNSET:-}", ""),
        ("${SET-d}", "value"),
        ("${EMPTY-d}", ""),
        ("${UNSET-d}", "d"),
        ("${SET:?m}", "value"),
        ("${SET?m}", "value"),
        ("${EMPTY?m}", ""),
        ("${SET:+r}", "r"),
        ("${EMPTY:+r}", ""),
        ("${UNSET:+r}", ""),
        ("${SET+r}", "r"),
        ("${EMPTY+r}", "r"),
        ("${UNSET+r}", ""),
        ("${UNSET:-${OTHER}}", "other"),
        ("${UNSET:-${UNSET2:-deep ${SET}}}", "deep value"),
        ("${SET:-${UNSET}}", "value"),
        ("${SET+${OTHER:-x}!}", "other!"),
        ("$$", "$"),
        ("$$SET", "$SET"),
        ("$${SET}", "${SET}"),
        ("$$$SET", "$value"),
        ("${UNSET:-$$5}", "$5"),
        ("costs 5$$", "costs 5$"),
        ("${DOLLAR}", "$SET ${SET}"),
        ("}", "}"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("${UNSET:-two\nlines}", "two\nlines"),
    ],
)
def test_a_text_is_filled_in_as_compose_does_it(text: str, filled: str) -> None:
    assert interpolate(text, ENVIRONMENT) == filled


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("${UNSET}", ["variable UNSET is not set"]),
        ("$UNSET", ["variable UNSET is not set"]),
        ("${UNSET} $ALSO", ["variable UNSET is not set", "variable ALSO is not set"]),
        ("${UNSET?}", ["variable UNSET is not set"]),
        ("${UNSET:?tell ${SET} why}", ["variable UNSET is not set: tell value why"]),
        ("${EMPTY:?fill it}", ["variable EMPTY is empty: fill it"]),
        ("${UNSET:-${ALSO}}", ["variable ALSO is not set"]),
        ("$", ["'$' names no variable"]),
        ("costs $5", ["'$5' names no variable"]),
        ("${}", ["'${}' names no variable"]),
        ("${5}", ["'${5}' names no variable"]),
        ("${SET", ["'${SET' is not closed"]),
        ("${UNSET:-x", ["'${UNSET:-x' is not closed"]),
        ("${SET!}", ["'${SET!}' is not understood"]),
        ("${SET:x}", ["'${SET:x}' is not understood"]),
    ],
)
def test_what_cannot_be_filled_in_is_named_all_at_once(text: str, messages: list[str]) -> None:
    with pytest.raises(InterpolationError) as caught:
        interpolate(text, ENVIRONMENT)
    assert [problem.message for problem in caught.value.problems] == messages
    assert all(problem.hint for problem in caught.value.problems)


def test_variables_nested_without_end_are_refused_and_not_followed() -> None:
    text = "${A:-" * 100_000
    with pytest.raises(InterpolationError, match=f"more than {MAX_DEPTH} deep"):
        interpolate(text, {})


@given(plain_texts)
def test_a_text_without_dollars_comes_back_as_it_is(text: str) -> None:
    assert interpolate(text, {}) == text


@given(st.text(max_size=60))
def test_doubled_dollars_bring_back_any_text(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}) == text


@given(names, st.text(max_size=40), plain_texts)
def test_a_value_is_put_in_untouched_whatever_it_holds(name: str, value: str, around: str) -> None:
    environment = {name: value}
    assert interpolate(f"{around}${{{name}}}{around}", environment) == f"{around}{value}{around}"
    assert interpolate(f"${{{name}-unused $$}}", environment) == value


@given(names, plain_texts, st.one_of(st.none(), st.just(""), plain_texts))
def test_the_default_and_its_counterpart_never_both_apply(name: str, word: str, value: str | None) -> None:
    environment = {} if value is None else {name: value}
    assert interpolate(f"${{{name}-{word}}}", environment) == (word if value is None else value)
    assert interpolate(f"${{{name}:-{word}}}", environment) == (value or word)
    assert interpolate(f"${{{name}+{word}}}", environment) == ("" if value is None else word)
    assert interpolate(f"${{{name}:+{word}}}", environment) == (word if value else "")


@given(st.text("${}:-?+AB_1 ", max_size=30))
def test_any_text_is_filled_in_or_refused_with_reasons(text: str) -> None:
    try:
        filled = interpolate(text, {"A": "a", "B": ""})
    except InterpolationError as error:
        assert error.problems
    else:
        assert "$" not in filled or "$$" in text
