from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meetctl.supervisor.lines import LineSplitter, TooLong


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), st.lists(st.integers(1, 7)))
def test_lines_come_out_as_they_went_in_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter(limit=100)
    got: list[bytes | TooLong] = []
    while stream:
        cut = cuts.pop() if cuts else len(stream)
        got += splitter.feed(stream[:cut])
        stream = stream[cut:]
    assert got + splitter.end() == lines


def test_a_line_beyond_the_limit_is_reported_once_and_the_next_is_whole() -> None:
    splitter = LineSplitter(limit=10)
    got = splitter.feed(b"a" * 25) + splitter.feed(b"b" * 25) + splitter.feed(b"\nshort\n")
    assert got == [TooLong(50), b"short"]


def test_an_unfinished_last_line_is_given_at_the_end() -> None:
    splitter = LineSplitter(limit=10)
    assert splitter.feed(b"one\ntwo") == [b"one"]
    assert splitter.end() == [b"two"]
