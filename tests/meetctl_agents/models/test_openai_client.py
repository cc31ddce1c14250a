"""Servers that speak OpenAI's API in their own way: what they mean is taken, what cannot be is said in their words."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, utils
from meetctl_agents.models.faults import Explanation, explain
from meetctl_agents.models.prompt import Message
from meetctl_agents.models.providers import close_model, llm_from_endpoint, stt_from_endpoint, tts_from_endpoint
from meetctl_agents.speaking.replay_agent import answer
from meetctl_agents.speaking.speech import SynthesisedSpeech, verbatim
from meetctl_agents.text.answer_text import AnswerText, ThinkingHabit
from meetctl_agents.text.clauses import ClauseTokenizer
from pydantic import SecretStr

from meetctl.protocol import Endpoint, Voice
from testing.agents.provider_servers import Served, serving

OPTIONS = APIConnectOptions(max_retry=0, timeout=5)
PROMPT = (Message("system", "You are Ada."), Message("user", "Sam: when do we ship?"))
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


@pytest.fixture(autouse=True)
async def http_session() -> AsyncIterator[None]:
    async with utils.http_context.open():
        yield


def endpoint(url: str, model: str = "m") -> Endpoint:
    return Endpoint(provider="openai", base_url=f"{url}/v1", api_key=SecretStr("key-1"), model=model)


def reply(body: str | bytes, kind: str = "application/json", status: int = 200, **headers: str) -> web.Response:
    content = body.encode() if isinstance(body, str) else body
    return web.Response(body=content, status=status, headers={"Content-Type": kind, **headers})


def events(*chunks: dict[str, Any] | str, done: bool = True) -> web.Response:
    lines = [f"data: {chunk if isinstance(chunk, str) else json.dumps(CHUNK | chunk)}\n\n" for chunk in chunks]
    return reply("".join([*lines, "data: [DONE]\n\n" if done else ""]), "text/event-stream")


def said(text: str, *, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": finish}]}


@asynccontextmanager
async def answering(path: str, *replies: web.Response | Callable[[], web.Response]) -> AsyncIterator[Served]:
    """Serves one reply after the other, and the last for ever."""
    served = Served()

    async def handle(request: web.Request) -> web.Response:
        served.note(request, await request.read())
        chosen = replies[min(len(served.asked), len(replies)) - 1]
        made = chosen() if callable(chosen) else chosen
        copy = web.Response(body=made.body, status=made.status, headers=made.headers)
        return copy

    async with serving(web.post(f"/v1{path}", handle), served=served):
        yield served


async def heard(served: Served, *, patience_s: float = 0.0) -> str:
    text = AnswerText(("Sam",), "Ada", ThinkingHabit(is_known_plain=False))
    model = llm_from_endpoint(endpoint(served.url))
    try:
        pieces = [piece async for piece in answer(model, PROMPT, text, OPTIONS, lambda *_: None, patience_s)]
    finally:
        await close_model(model)
    return "".join(pieces).strip()


async def failure(served: Served) -> Explanation:
    with pytest.raises(APIError) as caught:
        await heard(served)
    return explain(caught.value)


@pytest.mark.parametrize(
    "odd",
    [
        events(
            said("On Friday."),
            {"choices": None, "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
        ),
        events(said("On Friday."), {"usage": None}),
        events(said("On Friday."), done=False),
        events(said("On "), "{broken", said("Friday.")),
        events({"choices": [{"delta": {"content": "On Friday."}}]}),
        events(said("", reasoning_content="Sam asks. "), said("On Friday.")),
        reply(json.dumps({"choices": [{"message": {"role": "assistant", "content": "On Friday."}}]})),
        reply(json.dumps({"message": {"role": "assistant", "content": "On Friday."}, "done": True})),
        reply('data: {"choices": [{"delta": {"content": "On Friday."}}]}\n\ndata: [DONE]\n\n', "text/plain"),
    ],
)
async def test_an_answer_is_heard_whatever_form_it_has(odd: web.Response) -> None:
    async with answering("/chat/completions", odd) as served:
        assert await heard(served) == "On Friday."


@pytest.mark.parametrize(
    ("odd", "words", "hint"),
    [
        (reply('{"error": "model is broken"}'), "model is broken", "server"),
        (reply("<html><title>Sign in</title></html>", "text/html"), "Sign in", "server"),
        (reply(""), "empty", "server"),
        (events(said("", reasoning_content="Hm, two and two.")), "Hm, two and two.", ""),
        (
            events(said("", tool_calls=[CALL], finish="tool_calls")),
            "tool",
            "",
        ),
        (
            events('{"error": {"message": "the request exceeds the available context size", "code": 400}}'),
            "the request exceeds the available context size",
            "context",
        ),
        (
            reply('{"error": {"message": "model \\"llama3.2\\" not found, try pulling it first"}}', status=404),
            "try pulling it first",
            "ollama pull llama3.2",
        ),
        (reply('{"error": {"message": "System role not supported"}}', status=400), "System role", "template"),
        (reply('{"detail": "Not Found"}', status=404), "Not Found", "base_url"),
        (reply('{"error": {"message": "Incorrect API key provided"}}', status=401), "Incorrect API key", "key"),
        (
            reply(
                '{"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}', status=429
            ),
            "You exceeded your current quota",
            "billing",
        ),
        (reply('{"error": {"message": "Rate limit reached"}}', status=429), "Rate limit reached", "rate limit"),
        (reply("upstream is down", "text/plain", status=502), "upstream is down", "server"),
    ],
)
async def test_what_cannot_be_an_answer_is_told_in_the_servers_words_with_its_address(
    odd: web.Response, words: str, hint: str
) -> None:
    async with answering("/chat/completions", odd) as served:
        found = await failure(served)
    assert words in found.detail
    assert hint in found.hint
    assert "key-1" not in found.detail
    if "nothing to say" not in found.detail and "context" not in hint:
        assert served.url in found.detail


async def test_a_server_that_asks_to_wait_is_asked_again_after_that_time() -> None:
    limited = reply('{"error": {"message": "slow down"}}', status=429, **{"Retry-After": "0.2"})
    loop = asyncio.get_running_loop()
    async with answering("/chat/completions", limited, events(said("On Friday."))) as served:
        began = loop.time()
        assert await heard(served, patience_s=30) == "On Friday."
        assert loop.time() - began >= 0.2
        assert len(served.asked) == 2


async def test_a_quota_that_is_used_up_is_not_waited_for() -> None:
    used_up = reply('{"error": {"message": "pay", "code": "insufficient_quota"}}', status=429, **{"Retry-After": "1"})
    async with answering("/chat/completions", used_up) as served:
        with pytest.raises(APIError):
            await heard(served, patience_s=30)
        assert len(served.asked) == 1


async def test_nothing_that_listens_and_no_such_host_are_told_apart() -> None:
    async with answering("/chat/completions", reply("")) as served:
        gone = served.url
    refused = await failure(Served(url=gone))
    assert "nothing listens there" in refused.detail and gone in refused.detail
    unknown = await failure(Served(url="http://no-such-host.invalid"))
    assert "no such host" in unknown.detail


async def test_tls_where_none_is_spoken_is_named(tmp_path: Any) -> None:
    async with answering("/chat/completions", reply("")) as served:
        found = await failure(Served(url=served.url.replace("http://", "https://")))
    assert "http:// in place of https://" in found.hint


# --- transcriptions -------------------------------------------------------------------------------------------------


def silence() -> list[rtc.AudioFrame]:
    return [rtc.AudioFrame(b"\0\0" * 1600, 16_000, 1, 1600)]


async def transcribed(served: Served, model: str = "m") -> str:
    recogniser = stt_from_endpoint(endpoint(served.url, model), "en", ())
    try:
        event = await recogniser.recognize(silence(), conn_options=OPTIONS)
    finally:
        await close_model(recogniser)
    return " ".join(alternative.text for alternative in event.alternatives)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (reply("Anna, what is the plan?", "text/plain"), "Anna, what is the plan?"),
        (reply('"Anna, what is the plan?"'), "Anna, what is the plan?"),
        (reply('{"segments": [{"text": " Anna,"}, {"text": " what is the plan?"}]}'), "Anna, what is the plan?"),
        (reply('{"text": null, "segments": [{"text": " Yes."}]}'), "Yes."),
        (reply('{"text": ""}'), ""),
    ],
)
async def test_words_are_taken_in_whatever_form_they_come(odd: web.Response, words: str) -> None:
    async with answering("/audio/transcriptions", odd) as served:
        assert await transcribed(served) == words


async def test_a_recogniser_that_knows_no_verbose_form_is_asked_for_the_plain_one() -> None:
    refusal = reply('{"error": {"message": "verbose_json is not supported"}}', status=400)
    async with answering("/audio/transcriptions", refusal, reply('{"text": "Yes."}')) as served:
        assert await transcribed(served, "whisper-1") == "Yes."
        assert b"verbose_json" not in served.asked[1].body


@pytest.mark.parametrize(
    "odd", [reply('{"status": "queued"}'), reply("<html><title>Sign in</title></html>", "text/html")]
)
async def test_an_answer_without_words_is_told_in_the_servers_words(odd: web.Response) -> None:
    async with answering("/audio/transcriptions", odd) as served:
        with pytest.raises(APIError) as caught:
            await transcribed(served)
    assert any(words in explain(caught.value).detail for words in ("queued", "Sign in"))


# --- speech ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (reply('{"error": "voice not loaded"}'), "voice not loaded"),
        (reply("<html><title>Sign in</title></html>", "text/html"), "Sign in"),
    ],
)
async def test_an_answer_that_is_no_sound_is_never_played(odd: web.Response, words: str) -> None:
    async with answering("/audio/speech", odd) as served:
        voice = tts_from_endpoint(endpoint(served.url), Voice(), ClauseTokenizer())
        speech = SynthesisedSpeech(verbatim("We ship on Friday."), voice, OPTIONS)
        speech.grant()
        with pytest.raises(APIError) as caught:
            async for _ in speech.sound.replay():
                pytest.fail("something was played")
        await speech.aclose()
        await close_model(voice)
    assert words in explain(caught.value).detail


async def test_sound_of_two_channels_is_played_at_its_own_speed_and_pitch() -> None:
    rate, seconds = 24_000, 0.5
    samples = b"".join(value.to_bytes(2, "little", signed=True) * 2 for value in range(int(rate * seconds)))
    header = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\1\0\2\0" + rate.to_bytes(4, "little") + (rate * 4).to_bytes(4, "little") + b"\4\0\20\0"
    wav = header + b"data" + len(samples).to_bytes(4, "little") + samples
    async with answering("/audio/speech", reply(wav, "audio/wav")) as served:
        voice = tts_from_endpoint(endpoint(served.url), Voice(), ClauseTokenizer())
        speech = SynthesisedSpeech(verbatim("We ship on Friday."), voice, OPTIONS)
        speech.grant()
        frames = [frame async for frame in speech.sound.replay()]
        await speech.aclose()
        await close_model(voice)
    assert {frame.num_channels for frame in frames} == {1}
    assert sum(frame.duration for frame in frames) == pytest.approx(seconds, abs=0.1)


def test_an_error_that_is_no_http_is_told_as_it_is() -> None:
    untrusted = ssl.SSLCertVerificationError("self-signed certificate")
    error = APIError("Connection error.", retryable=True)
    error.__cause__ = untrusted
    assert "SSL_CERT_FILE" in explain(error).hint
    assert explain(RuntimeError("no session")).detail == "no session"
