"""Nobody is called what somebody else is called, or what means something where names stand."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetctl.protocol.names import MAX_NAME_CHARACTERS, RESERVED_NAMES, clean_name, free_name, reads_as


@pytest.mark.parametrize("name", ["Ada", "ADA", "ada.", "A d a", "\uff21da", "А\u0064а", "Adа", "A\u200bda", "Áda"])
def test_whoever_reads_like_an_agent_is_told_apart(name: str) -> None:
    assert free_name(name, (), ("Ada", "Max")) == f"{name} (guest)"


@pytest.mark.parametrize("name", [*RESERVED_NAMES, "note:", "SYSTEM", "here now"])
def test_words_of_the_meeting_s_own_are_nobodys_name(name: str) -> None:
    assert free_name(name, ()).endswith(" (guest)")


def test_people_of_one_name_are_numbered_and_so_are_several_who_would_be_an_agent() -> None:
    assert free_name("Sam", ("Eve",), ("Ada",)) == "Sam"
    assert free_name("Sam", ("Sam",), ("Ada",)) == "Sam (2)"
    assert free_name("sam", ("Sam", "Sam (2)"), ("Ada",)) == "sam (3)"
    assert free_name("Ada", ("Ada (guest)",), ("Ada",)) == "Ada (guest 2)"


@given(st.lists(st.text(min_size=1, max_size=80), max_size=12), st.lists(st.text(min_size=1, max_size=20), max_size=4))
def test_no_two_names_ever_read_the_same(wanted: list[str], agents: list[str]) -> None:
    called: list[str] = []
    for name in wanted:
        clean = clean_name(name)
        if clean is not None:
            called.append(free_name(clean, called, agents))
    everybody = [reads_as(name) for name in called]
    assert len(set(everybody)) == len(everybody)
    assert not {*everybody} & {reads_as(name) for name in (*agents, *RESERVED_NAMES)}
    for name in called:
        assert len(name) <= MAX_NAME_CHARACTERS
        assert not any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name)
