"""Calls of tools that a model writes as text are not said."""

from __future__ import annotations

import pytest
from meetctl_agents.text.tool_text import ToolText


def rest_of(text: str, size: int) -> tuple[str, int]:
    tools = ToolText()
    pieces = [tools.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return " ".join("".join([*pieces, tools.finish()]).split()), len(tools.calls)


@pytest.mark.parametrize("size", [1, 5, 10_000])
@pytest.mark.parametrize(
    ("text", "rest", "calls"),
    [
        ('{"name": "look_up_weather", "parameters": {"city": "Oslo"}}', "", 1),
        ('I will look. <tool_call>{"name": "w", "arguments": {}}</tool_call>', "I will look.", 1),
        ('I will look. <function=look_up>{"city": "Oslo"}</function> Wait.', "I will look. Wait.", 1),
        ('Sure.\n```json\n{"name": "w", "arguments": {"city": "Oslo"}}\n```\nOne moment.', "Sure. One moment.", 1),
        ('{{"name": "w", "arguments": {"city": "Oslo"}}}', "", 1),
        ('[{"name": "w", "arguments": {}}, {"name": "v", "arguments": {}}]', "", 1),
        ('{"tool_calls": [{"function": {"name": "w", "arguments": "{}"}}]}', "", 1),
        ('{"action": "search", "action_input": "Oslo {\\"a\\": 1}"} Done.', "Done.", 1),
        ('[TOOL_CALLS][{"name": "w", "arguments": {"list": [1]}}]', "", 1),
        ('<|python_tag|>look_up.call(city="Oslo")', "", 1),
        ('[look_up(city="Oslo"), look_up(city="Rome")]', "", 1),
        (
            '<function_calls><invoke name="w"><parameter name="c">Oslo</parameter></invoke></function_calls>Yes.',
            "Yes.",
            1,
        ),
        ('<tool_call>\n{"name": "w", "argum', "", 1),
        ("The set {1, 2} is small, and [see below] too.", "The set {1, 2} is small, and [see below] too.", 0),
        ('A JSON: {"name": "Ada", "age": 3}.', 'A JSON: {"name": "Ada", "age": 3}.', 0),
        ("```python\nprint(1)\n```", "```python print(1) ```", 0),
        ("Nothing of that kind.", "Nothing of that kind.", 0),
    ],
)
def test_what_stands_around_a_call_is_left_however_it_arrives(text: str, rest: str, calls: int, size: int) -> None:
    assert rest_of(text, size) == (rest, calls)


def test_ordinary_words_pass_at_once() -> None:
    assert ToolText().feed("We ship ") == "We ship "
