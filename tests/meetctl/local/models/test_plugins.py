"""The same server through livekit-plugins-openai, as the agents use it.

Its STT is given a client, because it closes none of its own; TTS and LLM are given the address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.plugins import openai
from openai import AsyncOpenAI

from testing.words import word_errors

SENTENCE = "Max, do you think that we should ship it on Friday?"


@pytest.fixture
async def base_url(model_server: str) -> AsyncIterator[str]:
    yield f"{model_server}/v1"


@pytest.mark.parametrize("model", ["tts-1", "hibari-0.2.1"])  # the plugin asks for bytes, and for events
async def test_speech_goes_to_words_and_back(base_url: str, client: AsyncOpenAI, model: str) -> None:
    tts = openai.TTS(base_url=base_url, api_key="any", model=model, voice="tenor", response_format="pcm")
    stt = openai.STT(client=client, model="whisper-tiny.en", language="en", prompt="Ada, Max")
    try:
        frames: list[rtc.AudioFrame] = []
        async with tts.synthesize(SENTENCE) as stream:
            frames = [event.frame async for event in stream]
        assert {(frame.sample_rate, frame.num_channels) for frame in frames} == {(24_000, 1)}
        heard = await stt.recognize(frames)
        assert word_errors(SENTENCE, heard.alternatives[0].text)[0] == 0
        assert heard.alternatives[0].language == "en"
    finally:
        await tts.aclose()
        await stt.aclose()


async def test_the_language_model_streams_its_answer(base_url: str) -> None:
    model = openai.LLM(base_url=base_url, api_key="any", model="smollm2-135m-instruct", max_completion_tokens=40)
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="You are Max. Answer in one short sentence.")
    context.add_message(role="user", content="Sam: Max, what is the sea?")
    text, usage = "", None
    try:
        async with model.chat(chat_ctx=context) as stream:
            async for chunk in stream:
                text += (chunk.delta.content or "") if chunk.delta else ""
                usage = chunk.usage or usage
    finally:
        await model.aclose()
    assert len(text.split()) > 3
    assert usage is not None and 0 < usage.completion_tokens <= 40
