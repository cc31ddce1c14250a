"""Words that mean "go on", where they are said over somebody who talks."""

from __future__ import annotations

import pytest
from meetctl_agents.floor.addressing.passive import lets_go_on


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        ("Mm-hmm.", True),
        ("Uh-huh, mhm.", True),
        ("Hmm...", True),
        ("Yeah.", True),
        ("Okay, right.", True),
        ("I see.", True),
        ("Yes, sure, mm-hm.", True),
        ("Really?", False),
        ("Okay, stop.", False),
        ("No.", False),
        ("Yes, but what about Friday?", False),
        ("Okay, thank you.", False),
        ("Thank you.", True),
        ("you", True),
        ("Bye-bye.", True),
        ("Thank you, but stop now.", False),
        ("Max.", False),
        ("", False),
    ],
)
def test_only_what_wants_nothing_is_a_backchannel(text: str, goes_on: bool) -> None:
    assert lets_go_on(text, "en") is goes_on


@pytest.mark.parametrize(
    ("text", "language", "goes_on"),
    [
        ("Ja, genau.", "de", True),
        ("Mach weiter!", "de", True),
        ("Nein, Freitag.", "de", False),
        ("D'accord.", "fr", True),
        ("Vale, claro.", "es", True),
        ("はい。", "ja", True),
        ("継続の件はどうなりましたか", "ja", False),
        ("请继续。", "zh", True),
    ],
)
def test_each_language_has_words_of_its_own_for_it(text: str, language: str, goes_on: bool) -> None:
    assert lets_go_on(text, language) is goes_on
