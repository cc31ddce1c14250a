"""What agents spend on their language models: all of it is told, once, however an answer came about or ended."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import llm
from livekit.agents.metrics import LLMMetrics
from meetctl_agents.models.prompt import Message
from meetctl_agents.room.methods import call, serve
from meetctl_agents.speaking.replay_agent import answer
from meetctl_agents.text.answer_text import AnswerText, ThinkingHabit

from meetctl.protocol import GRANT, PREPARE, RELEASE, Grant, Line, Prepare, Ready, Release, UsageKind, UsageTotals
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.scripted_models import PROMPT_TOKENS, scripted_models
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken
from tests.meetctl_agents.speaking.answer_stage import OPTIONS, ScriptedModel

PROMPT = (Message("system", "You are Ada."), Message("user", "Sam: when do we ship?"))
ANSWER = "We ship on Friday."
ANSWERS = (
    "We ship on Friday, as soon as all of the tests have passed.",
    "Max writes to every customer before he goes home on Thursday.",
)
"""Whole sentences, and not one twice: a small model is asked again for what is short or was said before."""
TOO_LONG = "We ship on Friday, all of us together. " * 12


class Telling(ScriptedModel):
    """Ends with what the request has cost, as most servers do."""

    def chat(self, **asked: Any) -> llm.LLMStream:
        return _TellingStream(self, chat_ctx=asked["chat_ctx"], tools=[], conn_options=OPTIONS)


class _TellingStream(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, Telling)
        delta = llm.ChoiceDelta(role="assistant", content=model.text)
        self._event_ch.send_nowait(llm.ChatChunk(id="c", delta=delta))
        usage = llm.CompletionUsage(prompt_tokens=30, completion_tokens=5, total_tokens=35)
        self._event_ch.send_nowait(llm.ChatChunk(id="c", usage=usage))


async def spent(model: ScriptedModel, *, pieces: int | None = None) -> tuple[int, int]:
    """Returns the tokens read and written that the model's requests told of, after an answer, or so much of it."""
    told: list[LLMMetrics] = []
    model.on("metrics_collected", told.append)
    answering = answer(
        model, PROMPT, AnswerText((), "Ada", ThinkingHabit(is_known_plain=True)), OPTIONS, lambda *_: None
    )
    async with asyncio.timeout(5):
        index = 0
        async for _ in answering:
            index += 1
            if index == pieces:
                break
        await answering.aclose()
    return sum(one.prompt_tokens for one in told), sum(one.completion_tokens for one in told)


@pytest.mark.parametrize("text", [ANSWER, TOO_LONG])
async def test_what_a_model_tells_is_counted_once_even_where_the_answer_ended_before(text: str) -> None:
    assert await spent(Telling(text)) == (30, 5)


async def test_what_a_model_was_stopped_before_it_told_is_estimated() -> None:
    read, written = await spent(ScriptedModel(TOO_LONG))
    assert 5 <= read <= 15
    assert 40 <= written <= len(TOO_LONG.split())
    assert await spent(ScriptedModel(ANSWER), pieces=2) == (read, 2)


def answer_to(asked: dict[str, Any]) -> str:
    return ANSWERS["2?" in str(asked["messages"][-1])]


def costs_at_least(tokens: int, usage: UsageTotals) -> bool:
    return usage.llm_tokens >= tokens


async def test_an_agent_tells_what_its_answers_cost_made_ahead_or_not(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    releases: asyncio.Queue[Release] = asyncio.Queue()
    chair = rtc.Room()
    await chair.connect(livekit_server.url, mint_token(CHAIR, role="chair").get_secret_value())
    try:
        serve(chair, RELEASE, Release, lambda caller: True, lambda release, _: releases.put_nowait(release))
        async with scripted_models(model_server, answer_to) as models_url:
            token = mint_token("ada", role="agent")
            given = assignment(livekit_server, room_name, token, "ada", models_url=models_url)
            async with Child("meetctl_agents.audio", given) as ada:
                await ada.wait_said(Ready)
                cost = 0
                for number, (ahead, text) in enumerate(zip((True, False), ANSWERS, strict=True), start=1):
                    asked = Line(id=f"u{number}", at=0, speaker="Sam", identity="sam", text=f"Ada, {number}?")
                    if ahead:
                        assert await call(chair, "ada", PREPARE, Prepare(line=asked)) == "prepared"
                    await call(chair, "ada", GRANT, Grant(grant_id=f"g{number}", line=asked))
                    release = await asyncio.wait_for(releases.get(), 30)
                    assert release.text == text
                    cost += PROMPT_TOKENS + len(text.split())
                    usage = await ada.wait_said(UsageTotals, partial(costs_at_least, cost))
                    assert (usage.llm_tokens, usage.avatar_seconds) == (cost, 0)
                assert usage.tts_characters >= len(ANSWERS[0].replace(" ", ""))
                assert {(one.kind, one.purpose) for one in usage.used} == {
                    (UsageKind.LLM_TOKENS, "answers"),
                    (UsageKind.TTS_CHARACTERS, "speech"),
                }
    finally:
        await chair.disconnect()
