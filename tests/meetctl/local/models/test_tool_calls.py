"""What the local model writes as a call becomes one, however it writes it; what is none is read on as it comes."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from meetctl.catalogue import CATALOGUE
from meetctl.local.models.tool_calls import ToolReader, WrittenCall, first_call
from testing.fixtures.models import running_model_server

CALCULATE: Any = {
    "type": "function",
    "function": {
        "name": "calculate",
        "description": "Evaluate an arithmetic expression.",
        "parameters": {
            "type": "object",
            "properties": {"expression": {"type": "string"}},
            "required": ["expression"],
        },
    },
}
NAMES = frozenset({"search", "now"})
CALL = '{"name": "search", "arguments": {"word": "a {b} \\"c\\""}}'
SEEDS = 5
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


@pytest.mark.process
async def test_the_local_model_asks_for_the_tool_that_fits_and_speaks_of_what_it_gave() -> None:
    model = next(one for one in CATALOGUE if one.tools)
    asked: list[Any] = [
        {"role": "system", "content": "You are Ada, in a meeting. Call a tool where one fits the question."},
        {"role": "user", "content": "Sam: What is 17 times 23?"},
    ]
    with running_model_server(models=(f"--serve=llm={model.name}",)) as (_, url):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:

            async def answer(**more: Any) -> tuple[str, list[Any]]:
                said = ""
                calls: list[Any] = []
                options: dict[str, Any] = {"model": "m", "messages": asked, "max_tokens": 60, "tools": [CALCULATE]}
                async for chunk in await client.chat.completions.create(**options, **more, stream=True):
                    for choice in chunk.choices:
                        said += choice.delta.content or ""
                        calls += choice.delta.tool_calls or []
                return said, calls

            said, (call,) = await answer()
            assert said == ""
            assert call.function.name == "calculate"
            assert "17" in json.loads(call.function.arguments)["expression"]
            whole = await client.chat.completions.create(model="m", messages=asked, tools=[CALCULATE], max_tokens=60)
            assert whole.choices[0].finish_reason == "tool_calls"
            assert whole.choices[0].message.tool_calls
            function = {"name": "calculate", "arguments": call.function.arguments}
            asked += [
                {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]},
                {"role": "tool", "tool_call_id": call.id, "content": '{"result": 391}'},
            ]
            # What so small a model makes of a result differs from one time to the next.
            answers = [await answer(tool_choice="none", seed=seed) for seed in range(SEEDS)]
            assert all(calls == [] and "{" not in said for said, calls in answers)
            assert any("391" in said for said, _ in answers), answers
