"""Words that mean "go on"."""

from __future__ import annotations

import pytest
from meetctl_agents.floor.backchannel import is_hum, is_nod


@pytest.mark.parametrize(
    ("text", "hum", "nod"),
    [
        ("Mm-hmm.", True, True),
        ("Uh-huh, mhm.", True, True),
        ("Hmm...", True, True),
        ("Yeah.", False, True),
        ("Okay, right.", False, True),
        ("I see.", False, True),
        ("Yes, sure, mm-hm.", False, True),
        ("Really?", False, False),
        ("Okay, stop.", False, False),
        ("No.", False, False),
        ("Yes, but what about Friday?", False, False),
        ("Okay, thank you.", False, False),
        ("Thank you.", False, True),
        ("you", False, True),
        ("Bye-bye.", False, True),
        ("Thank you, but stop now.", False, False),
        ("Max.", False, False),
        ("", False, False),
    ],
)
def test_only_what_wants_nothing_is_a_backchannel(text: str, hum: bool, nod: bool) -> None:
    assert (is_hum(text), is_nod(text)) == (hum, nod)
