"""What the local model writes as a call becomes one, however it writes it; what is none is read on as it comes."""

from __future__ import annotations

import json

import pytest

from meetctl.local.models.tool_calls import ToolReader, WrittenCall, first_call

NAMES = frozenset({"search", "now"})
CALL = '{"name": "search", "arguments": {"word": "a {b} \\"c\\""}}'
WORD = {"word": 'a {b} "c"'}


@pytest.mark.parametrize(
    "written",
    [
        CALL,
        f"<tool_call>\n{CALL}\n</tool_call>",
        f"```json\n{CALL}\n```",
        f"```\n{CALL}\n```\nI have searched.",
        '{{"name": "search", "arguments": {{"word": "a"}}}}',
        f"[{CALL}]",
        '{"type": "function", "function": {"name": "search", "arguments": {"word": "a"}}}',
        '{"name": "search", "parameters": {"word": "a"}}',
        '{"name": "search", "arguments": "{\\"word\\": \\"a\\"}"}',
        f"{CALL}\n{CALL}",
        f'{{"name": "nonsense", "arguments": {{}}}} {CALL}',
    ],
)
def test_a_call_is_found_in_every_form_and_none_of_it_is_spoken(written: str) -> None:
    call = first_call(written, NAMES)
    assert call is not None and call.name == "search"
    assert json.loads(call.arguments) in (WORD, {"word": "a"})
    for size in (1, 3, 1000):
        reader = ToolReader(NAMES)
        given = "".join(reader.feed(written[at : at + size]) for at in range(0, len(written), size))
        rest, found = reader.finish()
        assert (given + rest, found) == ("", call)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("I like databases.", "I like databases."),
        ("{ not a call }", "{ not a call }"),
        ('{"name": "nonsense", "arguments": {}}', '{"name": "nonsense", "arguments": {}}'),
        ("`code` is fine, and 1 < 2.", "`code` is fine, and 1 < 2."),
        ("", ""),
    ],
)
def test_what_is_no_call_is_given_whole(written: str, spoken: str) -> None:
    reader = ToolReader(NAMES)
    given = "".join(map(reader.feed, written))
    rest, call = reader.finish()
    assert (given + rest, call) == (spoken, None)


def test_ordinary_words_are_not_held_back() -> None:
    reader = ToolReader(NAMES)
    assert "".join(map(reader.feed, "I like databases.")) == "I like databases."


def test_what_was_said_before_a_call_is_given() -> None:
    reader = ToolReader(NAMES)
    given = "".join(map(reader.feed, f"Let me look. {CALL}"))
    assert (given.strip(), reader.finish()) == (
        "Let me look.",
        ("", WrittenCall("search", json.dumps(WORD))),
    )


def test_without_tools_nothing_is_held_back() -> None:
    reader = ToolReader(())
    assert reader.feed(CALL) == CALL
