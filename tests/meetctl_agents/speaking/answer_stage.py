"""Answers whose model and voice do what a test says."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import APIConnectOptions, llm, tts
from meetctl_agents.models.novelty import SAY_MORE, Novelty
from meetctl_agents.speaking.answers import Answers
from pydantic import SecretStr

from meetctl.protocol import Assignment, Grant, Line

OPTIONS = APIConnectOptions(max_retry=0, timeout=1)


class ScriptedModel(llm.LLM[Any]):
    """Writes what it was given, word by word; keeps the prompts.

    Args:
        then: what it adds when it is asked to say more.
    """

    def __init__(self, text: str, *, failure: Exception | None = None, then: str = "") -> None:
        super().__init__()
        self.then = then
        self.text, self.failure = text, failure
        self.prompts: list[list[tuple[str, str]]] = []

    def chat(self, **asked: Any) -> llm.LLMStream:
        context: llm.ChatContext = asked["chat_ctx"]
        self.prompts.append([(item.role, item.text_content or "") for item in context.messages()])
        return _Writing(self, chat_ctx=context, tools=[], conn_options=OPTIONS)


class _Writing(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, ScriptedModel)
        text = model.then if model.prompts[-1][-1][1] == SAY_MORE else model.text
        for word in text.split():
            delta = llm.ChoiceDelta(role="assistant", content=f"{word} ")
            self._event_ch.send_nowait(llm.ChatChunk(id="c", delta=delta))
            await asyncio.sleep(0)
        if model.failure:
            raise model.failure


class ScriptedVoice(tts.TTS[Any]):
    """Makes a tenth of a second of silence of each piece; keeps the pieces."""

    def __init__(self) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=24_000, num_channels=1)
        self.pieces: list[str] = []

    def synthesize(self, text: str, *, conn_options: APIConnectOptions = OPTIONS) -> tts.ChunkedStream:
        self.pieces.append(text)
        return _Sounding(tts=self, input_text=text, conn_options=conn_options)


class _Sounding(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(request_id="r", sample_rate=24_000, num_channels=1, mime_type="audio/pcm")
        output_emitter.push(bytes(4800))
        output_emitter.flush()


class Stage:
    def __init__(self, text: str = "First of all, hello. Then we test it all again.", **model: Any) -> None:
        self.model, self.voice = ScriptedModel(text, **model), ScriptedVoice()
        given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"))
        self.became: list[Novelty] = []
        self.answers = Answers(given, self.model, self.voice, OPTIONS, count=self.became.append)

    async def say(self, grant: Grant, *, heard: str | None = None) -> str:
        """Lets the agent speak until the end, or until only `heard` was heard of it; returns what it would say."""
        speech = self.answers.take(grant)
        speech.grant()
        async with asyncio.timeout(5):
            text = await speech.wait_written()
            async for _ in speech.sound.replay():
                pass
        said = text if heard is None else heard
        own = Line(id=grant.grant_id, at=0, speaker="Ada", identity="ada", text=said, interrupted=heard is not None)
        self.answers.said(grant, speech, own, cut=heard is not None)
        return text


def line(text: str, *, id: str = "u1", speaker: str = "Sam") -> Line:
    return Line(id=id, at=0, speaker=speaker, identity=speaker.lower(), text=text)


def grant(number: int, of: Line | None) -> Grant:
    return Grant(grant_id=f"g{number}", line=of)
