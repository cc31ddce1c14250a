"""Providers in a row: one that fails is left for the next within the turn, said so, and comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents import APIConnectOptions, utils
from meetctl_agents.hearing.voice_activity import load_detector
from meetctl_agents.models.fallbacks import watch_fallbacks
from meetctl_agents.models.prompt import Message
from meetctl_agents.models.providers import close_model, llm_from_endpoint, stt_from_endpoint, tts_from_endpoint
from meetctl_agents.models.speech_faults import SpeechFaults
from meetctl_agents.speaking.replay_agent import answer
from meetctl_agents.text.answer_text import AnswerText, ThinkingHabit
from meetctl_agents.text.clauses import ClauseTokenizer

from meetctl.protocol import Recovered, Voice, Warn
from meetctl.protocol.values import Model
from testing.agents.provider_servers import SOUND, WORDS, Served, openai_routes, serving
from tests.meetctl_agents.models.test_openai_client import answering, endpoint, reply

OPTIONS = APIConnectOptions(max_retry=0, timeout=5)
PROMPT = (Message("system", "You are Ada."), Message("user", "Sam: when do we ship?"))


@pytest.fixture(autouse=True)
async def http_session() -> AsyncIterator[None]:
    async with utils.http_context.open():
        yield


def limited() -> web.Response:
    return reply('{"error": {"message": "slow down"}}', status=429, **{"Retry-After": "60"})


async def test_the_next_one_answers_within_the_turn_and_the_first_comes_back_by_itself() -> None:
    told: list[Model] = []
    served = Served()
    replies = [limited, limited]

    def first() -> web.Response:
        return replies.pop(0)() if replies else reply('{"choices": [{"message": {"content": "The first is back."}}]}')

    async with serving(*openai_routes(served), served=served), answering("/chat/completions", first) as broken:
        given = endpoint(broken.url).model_copy(update={"fallbacks": (endpoint(served.url),)})
        model = llm_from_endpoint(given)
        watch_fallbacks(model, "language model", SpeechFaults(told.append))

        async def said() -> str:
            text = AnswerText((), "Ada", ThinkingHabit(is_known_plain=True))
            return "".join([piece async for piece in answer(model, PROMPT, text, OPTIONS, lambda *_: None)])

        assert await said() == WORDS
        warning = next(event for event in told if isinstance(event, Warn))
        assert "slow down" in warning.message and "the next one is asked" in warning.message
        async with asyncio.timeout(20):
            while not any(isinstance(event, Recovered) for event in told):
                await said()  # each turn tries the first beside it
        assert await said() == "The first is back."
        await close_model(model)


async def test_speech_and_transcription_are_taken_from_the_next_too() -> None:
    served = Served()
    async with (
        serving(*openai_routes(served), served=served),
        answering("/audio/speech", limited) as mute,
        answering("/audio/transcriptions", limited) as deaf,
    ):
        other = endpoint(served.url).model_copy(update={"voice": Voice(name="onyx")})
        voice = tts_from_endpoint(
            endpoint(mute.url).model_copy(update={"fallbacks": (other,)}), Voice(name="nova"), ClauseTokenizer()
        )
        async with voice.synthesize("Hello.", conn_options=OPTIONS) as stream:
            assert b"".join([bytes(part.frame.data) async for part in stream]).startswith(SOUND)
        ears = stt_from_endpoint(
            endpoint(deaf.url).model_copy(update={"fallbacks": (endpoint(served.url),)}), "en", (), load_detector()
        )
        frames = [rtc.AudioFrame(b"\0\0" * 1600, 16_000, 1, 1600)]
        event = await ears.recognize(frames, conn_options=OPTIONS)
        assert event.alternatives[0].text == WORDS
        assert served.asked[0].body["voice"] == "onyx"
        await close_model(voice)
        await close_model(ears)
