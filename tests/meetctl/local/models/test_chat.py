from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

BOUND = 120.0
ASK: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You are Ada, who builds databases. Answer in one short sentence."},
    {"role": "user", "content": "Sam: Ada, what is a database?"},
]


def long_prompt(name: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": f"{name} said: " + "the quick brown fox jumps over the lazy dog again " * 80}]


async def wait_idle(http: aiohttp.ClientSession) -> float:
    """Returns how long it took until nothing ran and nothing waited."""
    start = time.monotonic()
    async with asyncio.timeout(BOUND):
        while await statistics(http) != {"running": 0, "waiting": 0}:
            await asyncio.sleep(0.01)
    return time.monotonic() - start


async def wait_running(http: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(BOUND):
        while not (await statistics(http))["running"]:
            await asyncio.sleep(0.01)


async def statistics(http: aiohttp.ClientSession) -> dict[str, int]:
    async with http.get("/healthz") as health:
        found: dict[str, int] = (await health.json())["chat"]
        return found


async def test_an_answer_is_about_what_was_asked(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="local", messages=ASK, max_completion_tokens=60, temperature=0)
    text = answer.choices[0].message.content or ""
    assert "data" in text.lower()
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 60
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_streamed_answer_is_the_whole_one_in_pieces(client: openai.AsyncOpenAI) -> None:
    options: dict[str, Any] = {"model": "m", "messages": ASK, "max_tokens": 40, "temperature": 0}
    whole = await client.chat.completions.create(**options)
    text, finish, usage, pieces = "", None, None, 0
    async for chunk in await client.chat.completions.create(
        **options, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            pieces += bool(choice.delta.content)
            finish = choice.finish_reason or finish
    assert text == whole.choices[0].message.content
    assert finish == whole.choices[0].finish_reason
    assert usage is not None and usage.completion_tokens >= pieces > 5


async def test_without_being_asked_a_stream_tells_no_usage(client: openai.AsyncOpenAI) -> None:
    chunks = [c async for c in await client.chat.completions.create(model="m", messages=ASK, max_tokens=3, stream=True)]
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


async def test_the_limit_is_kept(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="m", messages=ASK, max_tokens=5)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None and answer.usage.completion_tokens == 5


async def test_a_stop_word_ends_the_answer_before_it(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="m", messages=ASK, max_tokens=60, temperature=0, stop=[" a "])
    text = answer.choices[0].message.content or ""
    assert answer.choices[0].finish_reason == "stop"
    assert " a " not in text


async def test_two_answers_at_the_end_are_no_fault(client: openai.AsyncOpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [
        *ASK,
        {"role": "assistant", "content": "A place for facts."},
        {"role": "assistant", "content": "You can ask it."},
    ]
    answer = await client.chat.completions.create(model="m", messages=messages, max_tokens=20)
    assert answer.usage is not None and answer.usage.completion_tokens > 0


async def test_an_endless_conversation_is_answered(client: openai.AsyncOpenAI) -> None:
    messages = ASK[:1]
    for index in range(300):
        messages.append({"role": "user", "content": f"Line {index}. " + "words and words " * 40})
    answer = await client.chat.completions.create(model="m", messages=messages, max_tokens=4)
    assert answer.usage is not None and answer.usage.prompt_tokens < 1300


async def test_developer_messages_and_text_parts_are_understood(client: openai.AsyncOpenAI) -> None:
    messages: list[ChatCompletionMessageParam] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]},
    ]
    answer = await client.chat.completions.create(model="m", messages=messages, max_tokens=4)
    assert answer.choices[0].message.role == "assistant"


async def test_the_second_turn_of_a_persona_reads_only_what_is_new(client: openai.AsyncOpenAI) -> None:
    persona: list[ChatCompletionMessageParam] = [{"role": "system", "content": "You are Zoe. " + "You are kind. " * 30}]
    other: list[ChatCompletionMessageParam] = [{"role": "system", "content": "You are Bob. " + "You are kind. " * 30}]
    ask: ChatCompletionMessageParam = {"role": "user", "content": "Hello."}
    for messages in (persona, other):
        await client.chat.completions.create(model="m", messages=[*messages, ask], max_tokens=4)
    again: ChatCompletionMessageParam = {"role": "user", "content": "Hello again."}
    answer = await client.chat.completions.create(model="m", messages=[*persona, again], max_tokens=4)
    assert answer.usage is not None and answer.usage.prompt_tokens_details is not None
    assert (answer.usage.prompt_tokens_details.cached_tokens or 0) > 100


async def test_a_client_that_leaves_while_its_prompt_is_read_stops_the_work(http: aiohttp.ClientSession) -> None:
    start = time.monotonic()
    body = {"messages": long_prompt("Ada"), "max_tokens": 1}
    async with http.post("/v1/chat/completions", json=body) as answer:
        assert answer.status == 200
    whole = time.monotonic() - start
    leaving = asyncio.create_task(
        http.post("/v1/chat/completions", json={**body, "messages": long_prompt("Eve")}).__aenter__()
    )
    await wait_running(http)
    leaving.cancel()
    await asyncio.wait((leaving,))
    assert await wait_idle(http) < whole / 2


async def test_a_client_that_leaves_a_stream_stops_the_work(http: aiohttp.ClientSession) -> None:
    body = {
        "messages": [
            {"role": "user", "content": "Write a very long story about a ship and its crew, with many chapters."}
        ],
        "max_tokens": 250,
        "temperature": 0,
    }
    start = time.monotonic()
    async with http.post("/v1/chat/completions", json=body) as answer:
        made = (await answer.json())["usage"]["completion_tokens"]
    whole = time.monotonic() - start
    assert made > 100
    async with http.post("/v1/chat/completions", json={**body, "stream": True}) as answer:
        await answer.content.readany()
        answer.close()
    assert await wait_idle(http) < whole / 2


async def test_beyond_the_queue_requests_are_refused_and_leaving_clears_it(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession
) -> None:
    async def ask(index: int) -> object:
        messages = long_prompt(f"Number {index}")
        return await client.chat.completions.create(model="m", messages=messages, max_tokens=200)

    asking = [asyncio.create_task(ask(index)) for index in range(12)]
    await asyncio.wait(asking, return_when=asyncio.FIRST_EXCEPTION, timeout=BOUND)
    refused = [task.exception() for task in asking if task.done()]
    assert any(isinstance(error, openai.RateLimitError) for error in refused), refused
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)
    await wait_idle(http)
    answer = await client.chat.completions.create(model="m", messages=ASK, max_tokens=4)
    assert answer.choices[0].message.content


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "Hi."}]}, "messages.0.role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages.0.content",
        ),
        ({"temperature": 9}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ],
)
async def test_a_bad_request_is_refused_in_openais_shape(
    client: openai.AsyncOpenAI, wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.chat.completions.create(**{"model": "m", "messages": ASK, **wrong})
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")


async def test_a_body_that_is_no_json_and_an_unknown_path_are_refused_in_openais_shape(
    http: aiohttp.ClientSession,
) -> None:
    async with http.post("/v1/chat/completions", data=b"{") as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (400, "invalid_request_error")
    async with http.get("/v1/nothing") as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (404, "invalid_request_error")
    async with http.get("/v1/chat/completions") as answer:
        assert (answer.status, (await answer.json())["error"]["type"]) == (405, "invalid_request_error")


async def test_the_models_are_listed(client: openai.AsyncOpenAI) -> None:
    listed = [model.id async for model in client.models.list()]
    assert set(listed) == {"hibari-0.2.1", "whisper-tiny.en", "smollm2-135m-instruct"}
    assert (await client.models.retrieve("whisper-tiny.en")).id == "whisper-tiny.en"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-4o")


async def test_what_was_read_at_leisure_is_not_read_again(client: openai.AsyncOpenAI) -> None:
    said = long_prompt("Noor")
    ahead = await client.chat.completions.create(
        model="m", messages=said, max_completion_tokens=1, service_tier="flex", temperature=0
    )
    answer = await client.chat.completions.create(model="m", messages=said, max_completion_tokens=1, temperature=0)
    assert ahead.usage is not None and answer.usage is not None
    assert answer.usage.prompt_tokens_details is not None
    cached = answer.usage.prompt_tokens_details.cached_tokens or 0
    assert cached > 0.9 * ahead.usage.prompt_tokens


async def test_reading_at_leisure_waits_for_those_who_want_an_answer(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession
) -> None:
    ended: list[str] = []

    async def ask(name: str, **options: Any) -> None:
        await client.chat.completions.create(model="m", messages=long_prompt(name), max_tokens=20, **options)
        ended.append(name)

    async with asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        group.create_task(ask("Leisurely", service_tier="flex"))
        await wait_running(http)
        group.create_task(ask("Hurried"))
    assert ended == ["Hurried", "Leisurely"]
