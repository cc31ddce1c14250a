"""`POST /v1/audio/transcriptions`: a file in, its words out. Reads the file and the form; finds no words itself."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import numpy as np
from aiohttp import web
from pydantic import BaseModel, Field

from meetctl.local.models.failures import ApiError
from meetctl.local.models.recognition import SAMPLE_RATE, Floats, Recognizer, Segment
from meetctl.local.models.slot_pool import SlotPool

PRIORITY_HEADER = "X-Meetctl-Priority"
"""`speculative`: behind every other transcription that waits."""
LONGEST_S = 600.0
"""Of audio; beyond that a request would hold the model for everybody else."""
LARGEST_BYTES = 32 * 1024 * 1024

_WAITING = 16
_LONGEST_PROMPT = 400
"""Characters; whisper keeps half of its 448 tokens for the answer."""
_SPECULATIVE = 1


class Form(BaseModel):
    """The fields beside the file, in OpenAI's words."""

    model: str = ""
    language: str = Field(default="en", pattern=r"^(auto|[A-Za-z]{2,3}([-_].*)?)?$")
    """A code of ISO 639; a region after it counts for nothing. Empty or `auto` = whichever it is."""
    prompt: str = ""
    response_format: str = Field(default="json", pattern=r"^(json|text|verbose_json)$")
    temperature: float = Field(default=0.0, ge=0, le=1)
    stream: Literal["", "false", "False"] = ""


class Transcription:
    """Serves transcriptions from one recognizer, one at a time."""

    def __init__(self, recognizer: Recognizer, name: str) -> None:
        self._recognizer = recognizer
        self._name = name
        self.slots = SlotPool("transcription", count=1, waiting=_WAITING)

    async def warm_up(self) -> None:
        """Transcribes once, so that the first request does not pay for it."""
        await self.slots.run(self._recognizer.warm_up)

    async def answer(self, form: Form, file: bytes, priority: int) -> web.StreamResponse:
        """Answers one request."""
        language = self._language(form.language)
        samples = await asyncio.to_thread(samples_from_file, file)
        duration = len(samples) / SAMPLE_RATE
        if duration > LONGEST_S:
            raise ApiError(f"the audio lasts {duration:.0f} s; at most {LONGEST_S:.0f} s are taken", param="file")
        segments = await self._segments(samples, form.prompt.strip()[:_LONGEST_PROMPT] or None, language, priority)
        text = "".join(segment.text for segment in segments).strip()
        match form.response_format:
            case "text":
                return web.Response(text=text + "\n")
            case "verbose_json":
                return web.json_response(_verbose(text, duration, segments, language or "auto"))
            case _:
                return web.json_response({"text": text, "usage": {"type": "duration", "seconds": round(duration)}})

    def _language(self, asked: str) -> str | None:
        """Returns the code that the model knows; None = it finds out.

        Raises:
            ApiError: if it knows no such language.
        """
        code = asked.replace("_", "-").partition("-")[0].lower()
        if code not in ("", "auto") and code not in self._recognizer.languages:
            known = self._recognizer.languages
            which = "English only" if known == ("en",) else f"{len(known)} languages, and this is none of them"
            raise ApiError(f"language {asked!r}: {self._name} knows {which}", param="language")
        return None if code in ("", "auto") else code

    async def _segments(
        self, samples: Floats, hotwords: str | None, language: str | None, priority: int
    ) -> list[Segment]:
        gone = threading.Event()
        try:
            return await self.slots.run_at(
                lambda _: self._recognizer.segments(samples, hotwords, gone, language=language), priority=priority
            )
        finally:
            gone.set()


async def handle(request: web.Request, ears: Callable[[str], Awaitable[Transcription]]) -> web.StreamResponse:
    """Answers one request by the model that it names."""
    fields, file = await _read_form(request)
    form = Form.model_validate(fields)
    priority = _SPECULATIVE if request.headers.get(PRIORITY_HEADER) == "speculative" else 0
    return await (await ears(form.model)).answer(form, file, priority)


def samples_from_file(file: bytes) -> Floats:
    """Returns any audio file that FFmpeg reads as mono samples at 16 kHz.

    Raises:
        ApiError: if it is none.
    """
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    parts: list[Floats] = []
    try:
        with av.open(io.BytesIO(file), mode="r", metadata_errors="ignore") as container:
            for frame in container.decode(audio=0):
                parts += [made.to_ndarray()[0] for made in resampler.resample(frame)]
        parts += [made.to_ndarray()[0] for made in resampler.resample(None)]
    except (av.error.FFmpegError, IndexError, ValueError) as error:
        raise ApiError(f"the file could not be read as audio: {error}", param="file") from None
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


async def _read_form(request: web.Request) -> tuple[Mapping[str, str], bytes]:
    if not request.content_type.startswith("multipart/"):
        raise ApiError(f"send multipart/form-data with a file, not {request.content_type}", param="file")
    posted = await request.post()
    file = posted.get("file")
    if not isinstance(file, web.FileField):
        raise ApiError("the form has no file", param="file")
    content = await asyncio.to_thread(file.file.read)
    return {name: value for name, value in posted.items() if isinstance(value, str)}, content


def _verbose(text: str, duration: float, segments: list[Segment], language: str) -> dict[str, object]:
    return {
        "task": "transcribe",
        "language": "english" if language == "en" else language,
        "duration": duration,
        "text": text,
        "segments": [
            {
                "id": index,
                "seek": 0,
                "start": segment.start,
                "end": segment.end,
                "text": segment.text,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": segment.avg_logprob,
                "compression_ratio": segment.compression_ratio,
                "no_speech_prob": segment.no_speech_prob,
            }
            for index, segment in enumerate(segments)
        ],
        "usage": {"type": "duration", "seconds": round(duration)},
    }
