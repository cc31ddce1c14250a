"""An answer of a small model ends when it has said enough, and the model is let go."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator

import pytest
from meetctl_agents.text.brevity import brief

FIRST, SECOND, THIRD = "We test it on Thursday with the whole team.", "Then we rest for a day.", "And so on."

CHINESE = "我们星期四和整个团队一起测试这个系统。然后我们休息一天。"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{FIRST} {SECOND} {THIRD} {THIRD}", f"{FIRST} {SECOND}"),
        (f"{FIRST} {SECOND}", f"{FIRST} {SECOND}"),
        (f"Yes. I do. {FIRST} {SECOND}", f"Yes. I do. {FIRST}"),
        (f"Dr. Who and Mr. Max said so. {FIRST} {THIRD}", f"Dr. Who and Mr. Max said so. {FIRST}"),
        ("twenty", "twenty"),
        ("", ""),
        (
            "我们星期四和整个团队一起测试这个系统。然后我们休息一天。还有更多。",
            "我们星期四和整个团队一起测试这个系统。然后我们休息一天。",
        ),
    ],
)
@pytest.mark.parametrize("by", [r"\S+\s*", r".", r".*"])
async def test_an_answer_ends_with_its_second_sentence(text: str, said: str, by: str) -> None:
    left = []

    async def written() -> AsyncGenerator[str]:
        try:
            for piece in re.findall(by, text):
                yield piece
        finally:
            left.append(True)

    assert "".join([piece async for piece in brief(written())]).strip() == said
    assert left == [True]
