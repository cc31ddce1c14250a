"""Transcription of a whole stretch by a model that only takes streams. Reports what the stream reports."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, LanguageCode, stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
from livekit.agents.utils import AudioBuffer

SILENCE_S = 0.5
"""Given after the words: by their ending many servers know that a sentence is complete."""
MORE_S = 0.6
"""Between final words: those that are left come at once, while many plugins end their stream only seconds later."""


class BatchSTT(stt.STT[str]):
    """Feeds a stretch into a stream, and takes for its words everything final that comes back."""

    def __init__(self, streaming: stt.STT[Any]) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=False, interim_results=False, offline_recognize=True)
        )
        self._streaming = streaming

    @property
    def model(self) -> str:
        return self._streaming.model

    @property
    def provider(self) -> str:
        return self._streaming.provider

    async def aclose(self) -> None:
        await self._streaming.aclose()

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        frames = buffer if isinstance(buffer, list) else [buffer]
        texts: list[str] = []
        last: stt.SpeechEvent | None = None
        async with self._streaming.stream(language=language, conn_options=conn_options) as stream:
            for frame in frames:
                stream.push_frame(frame)
            stream.push_frame(_silence(frames[-1]))
            stream.end_input()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as patience:
                    async for event in stream:
                        if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT and event.alternatives:
                            texts.append(event.alternatives[0].text)
                            last = event
                            patience.reschedule(asyncio.get_running_loop().time() + MORE_S)
        spoken = last.alternatives[0].language if last is not None else LanguageCode("")
        words = stt.SpeechData(language=spoken, text=" ".join(text for text in texts if text))
        return stt.SpeechEvent(
            type=stt.SpeechEventType.FINAL_TRANSCRIPT,
            request_id=last.request_id if last is not None else "",
            alternatives=[words],
        )


def _silence(like: rtc.AudioFrame) -> rtc.AudioFrame:
    samples = int(like.sample_rate * SILENCE_S)
    return rtc.AudioFrame(bytes(2 * samples * like.num_channels), like.sample_rate, like.num_channels, samples)
