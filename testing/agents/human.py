"""A scripted person: joins the room, talks through a microphone, listens to agents and reads their captions."""

from __future__ import annotations

import array
import asyncio
import bisect
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
from livekit import rtc

SAMPLE_RATE = 24_000
FRAME_S = 0.01
LOUD = 300
"""Root mean square of 16-bit samples; the local voice lies above 1000, silence below 10."""


@dataclass(frozen=True, slots=True)
class Caption:
    identity: str
    text: str
    attributes: dict[str, str]
    at: float


@dataclass
class Sound:
    """When an agent could be heard: monotonic times of its loud frames, in order."""

    loud: list[float] = field(default_factory=list)


async def synthesised(models_url: str, text: str, voice: str = "pitch=0.9") -> bytes:
    """Returns the text spoken by the model server: 16-bit mono samples at `SAMPLE_RATE`."""
    body = {"model": "tts-1", "input": text, "voice": voice, "response_format": "pcm"}
    async with aiohttp.ClientSession() as http, http.post(f"{models_url}/v1/audio/speech", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


class Human:
    """Async context manager around a connected room with a microphone that sends silence while nobody talks."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.captions: list[Caption] = []
        self.sounds: dict[str, Sound] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.room = rtc.Room()
        self.room.on("track_subscribed", self._on_track)
        self.room.register_text_stream_handler("lk.transcription", self._on_caption)
        await self.room.connect(self._url, self._token)
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track("mic", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        self.publication = await self.room.local_participant.publish_track(track, options)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()
        await self._source.aclose()

    @property
    def identity(self) -> str:
        return self.room.local_participant.identity

    async def wait_listened_to(self) -> None:
        """Waits until somebody, the chair, has subscribed to the microphone."""
        async with asyncio.timeout(10):
            await self.publication.wait_for_subscription()

    async def say(self, samples: bytes) -> float:
        """Talks; returns the monotonic time at which the last sample left the microphone."""
        count = int(SAMPLE_RATE * FRAME_S)
        for start in range(0, len(samples), count * 2):
            piece = samples[start : start + count * 2]
            await self._source.capture_frame(rtc.AudioFrame(piece, SAMPLE_RATE, 1, len(piece) // 2))
        await self._source.wait_for_playout()
        return time.monotonic()

    async def wait_until(self, holds: Callable[[], bool], within: float = 20.0) -> None:
        """Waits until the condition holds; looked at whenever something was heard or read."""
        async with asyncio.timeout(within):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def heard(self, identity: str, since: float = 0.0) -> list[float]:
        """Returns the times of the loud frames of an agent."""
        loud = self.sounds.get(identity, Sound()).loud
        return loud[bisect.bisect_left(loud, since) :]

    def read(self, identity: str, since: float = 0.0) -> str:
        """Returns what the captions said in that participant's name."""
        return " ".join(
            caption.text for caption in self.captions if caption.identity == identity and caption.at >= since
        )

    def _on_track(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._own(self._listen(track, self.sounds.setdefault(participant.identity, Sound())))

    async def _listen(self, track: rtc.Track, sound: Sound) -> None:
        stream = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10)
        with contextlib.suppress(asyncio.CancelledError):
            async for event in stream:
                samples = array.array("h", bytes(event.frame.data))
                power = sum(sample * sample for sample in samples[::4]) / max(1, len(samples[::4]))
                if power > LOUD * LOUD:
                    sound.loud.append(time.monotonic())
                    self._news.set()
        await stream.aclose()

    def _on_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._own(self._read_caption(reader, identity))

    async def _read_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        try:
            text = await reader.read_all()
        except ConnectionError:
            return  # whoever wrote it is gone in the middle of it
        attributes = dict(reader.info.attributes or {})
        self.captions.append(Caption(identity, text, attributes, time.monotonic()))
        self._news.set()

    def _own(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
