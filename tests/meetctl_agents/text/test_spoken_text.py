"""What of an answer goes to the voice."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from meetctl_agents.text.spoken_text import spoken


async def said(text: str, size: int) -> str:
    async def pieces() -> AsyncIterator[str]:
        for start in range(0, len(text), size):
            yield text[start : start + size]

    return " ".join("".join([piece async for piece in spoken(pieces())]).split())


@pytest.mark.parametrize("size", [1, 4, 10_000])
@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("Nothing of that kind.", "Nothing of that kind."),
        ("**Ship it** on `main` 😀\n- one\n- two", "Ship it on main one. two."),
        ("# Plan\n\n1. Design it\n2. Build it.", "Plan. 1. Design it. 2. Build it."),
        ("***Now*** or __never__, _please_.", "Now or never, please."),
        ("Read [the page](https://example.org/a?b=c) first.", "Read the page first."),
        ("See https://example.org/a_b?c=d#e for more.", "See for more."),
        ("See <https://example.org>, or (www.example.org).", "See , or ."),
        ("Before.\n```python\nprint('x')\n```\nAfter.", "Before. After."),
        ("Call `foo(x=1)` or `meetctl up`.", "Call or meetctl up."),
        ("| Who | What |\n|---|:--|\n| Ada | **backend** |\n\nThat is all.", "Who, What. Ada, backend. That is all."),
        ("That is <b>bold</b><br> &amp; fine[1] :-)", "That is bold & fine"),
        ("> quoted\n\n---\nafter", "quoted after"),
        ("2 * 3 = 6, 5 - 2 > 1 and snake_case stay.", "2 3 = 6, 5 - 2 > 1 and snake_case stay."),
        ("我们**现在**就发布。😀好。", "我们现在就发布。好。"),
        ("It costs 3.5 million at 9 a.m. (about).", "It costs 3.5 million at 9 a.m. (about)."),
    ],
)
async def test_only_words_reach_the_voice_however_they_arrive(written: str, heard: str, size: int) -> None:
    assert await said(written, size) == heard
