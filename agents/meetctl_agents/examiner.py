"""`python -m meetctl_agents.examiner`: asks models one small thing each, by the way that a meeting asks them.

Reads one Examination from stdin, writes an Examined a line as each is known, and ends. What a model of the roster
answers to a meeting is thereby known before there is one, plugin, key, address and certificate included.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, llm

from meetctl.errors import MeetctlError
from meetctl.protocol import Examination, Examined, Examinee

from .hearing.voice_activity import SAMPLE_RATE
from .models.faults import explain
from .models.plugin_http import plugin_http
from .models.prompt import Message
from .models.providers import close_model, llm_from_endpoint, stt_from_endpoint, tts_from_endpoint
from .process.examining import run_examination
from .process.wire import Report
from .realtime.conversation import Conversation, RealtimeAnswer, Sounding
from .realtime.model import realtime_from_endpoint
from .speaking.mono import mono
from .speaking.replay_agent import answer
from .text.answer_text import AnswerText, ThinkingHabit
from .text.clauses import ClauseTokenizer

HELLO = "Hello."
PATIENCE_S = 60.0
"""A model of one's own may have to be loaded first."""
OPTIONS = APIConnectOptions(max_retry=0, timeout=PATIENCE_S)
SILENCE_S = 1.0
"""What a recogniser gets to hear; that it finds no words there is right."""


async def examine(examination: Examination, report: Report) -> None:
    """Asks all at once, and writes what came of each."""

    async def one(index: int, examinee: Examinee) -> None:
        began = time.monotonic()
        fault, hint = await _fault_of(examinee)
        seconds = round(time.monotonic() - began, 2)
        report(Examined(index=index, seconds=seconds, fault=fault, hint=hint))

    async with plugin_http(), asyncio.TaskGroup() as asking:
        for index, examinee in enumerate(examination.examinees):
            asking.create_task(one(index, examinee))


async def _fault_of(examinee: Examinee) -> tuple[str, str | None] | tuple[None, None]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _ask(examinee)
    except MeetctlError as error:
        return error.message, error.hint
    except Exception as error:  # whatever a plugin raises is what is wanted to be known
        found = explain(error)
        return found.detail, found.hint
    return None, None


async def _ask(examinee: Examinee) -> None:
    match examinee.part:
        case "llm":
            await (_ask_to_speak_by_itself if examinee.endpoint.realtime else _ask_to_answer)(examinee)
        case "tts":
            await _ask_to_speak(examinee)
        case "stt":
            await _ask_to_listen(examinee)


async def _ask_to_answer(examinee: Examinee) -> None:
    endpoint = examinee.endpoint
    model = llm_from_endpoint(endpoint)
    text = AnswerText((), "", ThinkingHabit(is_known_plain=not endpoint.is_somebodys_own))
    try:
        written = answer(model, (Message("user", HELLO),), text, OPTIONS, _ignore, PATIENCE_S)
        async with contextlib.aclosing(written) as pieces:
            async for _ in pieces:
                break  # its first words are enough, and leaving closes the request
    finally:
        await close_model(model)


async def _ask_to_speak_by_itself(examinee: Examinee) -> None:
    choice = realtime_from_endpoint(examinee.endpoint, examinee.voice)
    session = Conversation(choice.model, _ignore, _ignore)
    try:
        await session.tell("Answer with one word.", [llm.ChatMessage(role="user", content=[HELLO])])
        async with contextlib.aclosing(session.answer(RealtimeAnswer(Sounding(_ignore)))) as words:
            async for _ in words:
                return  # leaving ends the answer
    except llm.RealtimeError:
        raise session.fault or TimeoutError("no answer in time") from None
    finally:
        await session.aclose()
        await choice.model.aclose()


async def _ask_to_speak(examinee: Examinee) -> None:
    voice = tts_from_endpoint(examinee.endpoint, examinee.voice, ClauseTokenizer())
    try:
        async with voice.synthesize(HELLO, conn_options=OPTIONS) as stream:
            async for audio in stream:
                mono(audio.frame)
                return
        raise ValueError("it answered with no sound")
    finally:
        await close_model(voice)


async def _ask_to_listen(examinee: Examinee) -> None:
    ears: Any = stt_from_endpoint(examinee.endpoint, examinee.language, ())
    count = int(SILENCE_S * SAMPLE_RATE)
    try:
        await ears.recognize([rtc.AudioFrame(bytes(2 * count), SAMPLE_RATE, 1, count)], conn_options=OPTIONS)
    finally:
        await close_model(ears)


def _ignore(*_: object) -> None:
    """Tells nobody."""


if __name__ == "__main__":
    run_examination(Examination, examine, log=logging.WARNING)
