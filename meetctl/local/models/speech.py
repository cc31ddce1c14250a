"""`POST /v1/audio/speech`: text in, audio out as soon as the first sentence is ready. Makes no sound itself."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, Field

from meetctl.local.models.failures import ApiError
from meetctl.local.models.slot_pool import SlotPool
from meetctl.local.models.synthesis import SAMPLE_RATE, SENTENCE_GAP_S, Synthesizer, silence
from meetctl.local.models.voices import LocalVoice, parse_voice

MODEL = "hibari-0.2.1"
LONGEST_INPUT = 4096
"""Characters; OpenAI's own limit."""
UNSPEAKABLE_S = 0.1
"""The answer to a text without a single word: a client that gets no audio at all takes it for a failure."""

_WAITING = 64
"""Sentences in the queue: some seconds of work; behind that a request is refused."""


class SpeechRequest(BaseModel):
    """The body, in OpenAI's words."""

    input: str = Field(min_length=1, max_length=LONGEST_INPUT)
    model: str = MODEL
    voice: str = "alto"
    response_format: str = "wav"
    speed: float = Field(default=1.0, ge=0.5, le=2.0)
    stream_format: Literal["audio", "sse"] = "audio"


class SpeechService:
    """Serves speech from one synthesizer; several requests take turns sentence by sentence."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self.slots = SlotPool("speech", count=1, waiting=_WAITING)

    async def warm_up(self) -> None:
        """Speaks once, so that the first request does not pay for it."""
        async for _ in self._chunks("Hello there. All is well.", LocalVoice(0.9, 0.95), 1.0):
            pass

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        wanted = SpeechRequest.model_validate_json(await request.read())
        try:
            voice = parse_voice(wanted.voice)
        except ValueError as error:
            raise ApiError(str(error), param="voice") from None
        async with aclosing(self._chunks(wanted.input, voice, wanted.speed)) as chunks:
            return await self._answer(request, wanted, chunks)

    async def _answer(
        self, request: web.Request, wanted: SpeechRequest, chunks: AsyncGenerator[bytes, None]
    ) -> web.StreamResponse:
        match wanted.response_format, wanted.stream_format:
            case "pcm", "audio":
                return await _stream(request, chunks, "audio/pcm")
            case "pcm", "sse":
                return await _stream(request, _events(chunks, len(wanted.input)), "text/event-stream")
            case "wav", "audio":
                return web.Response(
                    body=wav_from_pcm(b"".join([chunk async for chunk in chunks])), content_type="audio/wav"
                )
            case _:
                raise ApiError(
                    f"response_format {wanted.response_format!r} with stream_format {wanted.stream_format!r} is not "
                    "served here; there are pcm (audio or sse) and wav (audio)",
                    param="response_format",
                )

    async def _chunks(self, text: str, voice: LocalVoice, speed: float) -> AsyncGenerator[bytes, None]:
        sentences = await self.slots.run(self._synthesizer.sentences, text)
        if not sentences:
            yield silence(UNSPEAKABLE_S).tobytes()
        for index, phonemes in enumerate(sentences):
            samples = await self.slots.run(self._synthesizer.speak, phonemes, voice, speed)
            if index:
                yield silence(SENTENCE_GAP_S / speed).tobytes()
            yield samples.astype("<i2", copy=False).tobytes()


def wav_from_pcm(pcm: bytes) -> bytes:
    """Returns s16le mono samples at 24 kHz as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(pcm)
    return file.getvalue()


async def _stream(request: web.Request, chunks: AsyncGenerator[bytes, None], content_type: str) -> web.StreamResponse:
    first = await anext(chunks)  # before the headers: a failure here can still be answered as one
    response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
    await response.prepare(request)
    await response.write(first)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
    return response


async def _events(chunks: AsyncGenerator[bytes, None], characters: int) -> AsyncGenerator[bytes, None]:
    samples = 0
    async for chunk in chunks:
        samples += len(chunk) // 2
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(chunk).decode()})
    usage = {"input_tokens": characters, "output_tokens": samples, "total_tokens": characters + samples}
    yield _event({"type": "speech.audio.done", "usage": usage})


def _event(body: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
