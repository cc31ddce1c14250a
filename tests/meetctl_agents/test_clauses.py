"""Where text is cut for speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.clauses import ClauseTokenizer


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "I would start with the database, and then test it. After that we launch. Good.",
            ["I would start with the database,", "and then test it. After that we launch.", "Good."],
        ),
        ("Well, yes.", ["Well, yes."]),
        ("Version 1.5 is out now and it works", ["Version 1.5 is out now and it works"]),
        ("", []),
    ],
)
def test_the_first_clause_goes_first_and_sentences_follow(text: str, pieces: list[str]) -> None:
    assert ClauseTokenizer().tokenize(text) == pieces


@given(st.text(alphabet="ab .,!?\n", max_size=200), st.integers(1, 20))
async def test_a_stream_is_cut_like_the_whole_and_loses_nothing(text: str, size: int) -> None:
    stream = ClauseTokenizer().stream()
    for start in range(0, len(text), size):
        stream.push_text(text[start : start + size])
    stream.end_input()
    pieces = [token.token async for token in stream]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert pieces == ClauseTokenizer().tokenize(text)
