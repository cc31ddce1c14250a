"""A scripted person in the room: a microphone that is never silent on the wire, a voice made beforehand, a keyboard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
from livekit import rtc

from meetctl.errors import MeetctlError
from meetctl.protocol.rehearsal import Ticket

from ..room.chat import TOPIC as CHAT_TOPIC
from ..room.joining import leave
from .loudness import sounding_part

SAMPLE_RATE = 24_000
"""Of the local voice."""
FRAME_MS = 20
QUEUE_MS = 100
"""So much sound is under way; a busy machine may hold up this process for as long without a gap in the voice."""
HEARD_S = 30.0
"""Until the chair listens to a new microphone; 0.1 s on an idle machine."""
VOICE_S = 60.0
"""For one sentence to be spoken into memory; 0.04 s on an idle machine."""

_FRAME_BYTES = SAMPLE_RATE * FRAME_MS // 1000 * 2
_SILENCE = bytes(_FRAME_BYTES)


class PlayerError(MeetctlError):
    """A scripted person cannot do its part: it is the stage that is broken, not an expectation."""

    code = "rehearsal"


async def spoken(models_url: str, text: str, voice: str) -> bytes:
    """Returns the text in that voice: 16-bit mono samples at `SAMPLE_RATE`.

    Raises:
        RehearsalError: with the model server's words.
    """
    body = {"model": "tts-1", "input": text, "voice": voice, "response_format": "pcm"}
    timeout = aiohttp.ClientTimeout(total=VOICE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(f"{models_url}/v1/audio/speech", json=body) as answer,
        ):
            if answer.status != 200:
                raise PlayerError(f"the model server does not speak {text[:40]!r} as {voice}: {await answer.text()}")
            return await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        message = f"the model server at {models_url} does not answer: {error or type(error).__name__}"
        raise PlayerError(message, hint="read models.log of the meeting") from None


class Person:
    """One presence in the room, from joining to leaving; async context manager."""

    def __init__(self, url: str, ticket: Ticket, clock: Callable[[], float]) -> None:
        self.identity = ticket.identity
        self._url = url
        self._token = ticket.token
        self._clock = clock
        self._line: _Line | None = None
        self._pumping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._room = rtc.Room()
        options = rtc.RoomOptions(auto_subscribe=False)
        await self._room.connect(self._url, self._token.get_secret_value(), options)
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        published = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        self._publication = await self._room.local_participant.publish_track(track, published)
        self._pumping = asyncio.create_task(self._pump(), name=f"microphone-{self.identity}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
        await leave(self._room)
        await self._source.aclose()

    async def wait_heard(self) -> None:
        """Waits until somebody, the chair, listens to the microphone."""
        try:
            async with asyncio.timeout(HEARD_S):
                await self._publication.wait_for_subscription()
        except TimeoutError:
            message = f"nobody listened to {self.identity}'s microphone within {HEARD_S:.0f} s"
            raise PlayerError(message, hint="read chair.log of the meeting") from None

    async def say(self, samples: bytes) -> tuple[float, float]:
        """Says it; returns when its first and its last sound left the microphone, after the last did."""
        first, last = sounding_part(samples, SAMPLE_RATE)
        line = self._line = _Line(samples)
        left_at = await line.pushed + QUEUE_MS / 1000
        began = left_at - line.seconds
        await asyncio.sleep(max(0.0, began + last - self._clock()))
        return began + first, began + last

    async def write(self, text: str) -> None:
        """Says it by `lk.chat`."""
        await self._room.local_participant.send_text(text, topic=CHAT_TOPIC)

    async def _pump(self) -> None:
        while True:
            line, piece = self._line, _SILENCE
            if line is not None:
                piece = line.pieces.popleft()
                self._line = line if line.pieces else None
            await self._source.capture_frame(rtc.AudioFrame(piece, SAMPLE_RATE, 1, len(piece) // 2))
            # The source is never empty, so what has just been pushed leaves it a queue's length from now.
            if line is not None and not line.pieces and not line.pushed.done():
                line.pushed.set_result(self._clock())


class _Line:
    """What is being said."""

    def __init__(self, samples: bytes) -> None:
        padded = samples + bytes(-len(samples) % _FRAME_BYTES)
        self.pieces = deque(padded[at : at + _FRAME_BYTES] for at in range(0, len(padded), _FRAME_BYTES))
        self.seconds = len(padded) / 2 / SAMPLE_RATE
        self.pushed: asyncio.Future[float] = asyncio.get_running_loop().create_future()
