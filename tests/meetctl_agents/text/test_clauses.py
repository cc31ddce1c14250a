"""Where text is cut for speech."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meetctl_agents.text.clauses import LONGEST_PIECE, ClauseTokenizer


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
        (
            "I spoke with Dr. Mills at 9 a.m. about the U.S. ports, e.g. Boston. It costs 3.5 million. Done.",
            [
                "I spoke with Dr. Mills at 9 a.m. about the U.S. ports,",
                "e.g. Boston. It costs 3.5 million.",
                "Done.",
            ],
        ),
        (
            "Das war z.B. am 3. Mai so, sagt Hr. Meier von der Fa. Holz. Danach geht es weiter.",
            ["Das war z.B. am 3. Mai so,", "sagt Hr. Meier von der Fa. Holz.", "Danach geht es weiter."],
        ),
        (
            "我们先把数据库准备好。然后我们再发布产品，好吗？好。",
            ["我们先把数据库准备好。", "然后我们再发布产品，好吗？", "好。"],
        ),
        ("まず計画を立てます。次に作ります。", ["まず計画を立てます。", "次に作ります。"]),
        ("क्या हम शुरू करें? हाँ, अब हम शुरू करते हैं।", ["क्या हम शुरू करें?", "हाँ, अब हम शुरू करते हैं।"]),
    ],
)
def test_the_first_clause_goes_first_and_sentences_follow(text: str, pieces: list[str]) -> None:
    assert ClauseTokenizer().tokenize(text) == pieces


def test_words_without_any_mark_are_cut_at_a_blank_all_the_same() -> None:
    pieces = ClauseTokenizer().tokenize("word " * 200)
    assert all(len(piece) <= LONGEST_PIECE for piece in pieces)
    assert {word for piece in pieces for word in piece.split()} == {"word"}


@given(st.text(alphabet="ab .,!?\n", max_size=200), st.integers(1, 20))
async def test_a_stream_is_cut_like_the_whole_and_loses_nothing(text: str, size: int) -> None:
    stream = ClauseTokenizer().stream()
    for start in range(0, len(text), size):
        stream.push_text(text[start : start + size])
    stream.end_input()
    pieces = [token.token async for token in stream]
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert pieces == ClauseTokenizer().tokenize(text)
