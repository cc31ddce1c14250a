"""Agents to look at: real participants of kind agent that publish sound, a picture, a state and captions."""

from __future__ import annotations

import asyncio
import itertools
import math
from pathlib import Path
from types import TracebackType

import numpy as np
from livekit import rtc
from numpy.typing import NDArray
from pydantic import SecretStr

from meetctl.protocol import ACTIVITY_ATTRIBUTE

SAMPLE_RATE = 48_000
SIZE = 512
FPS = 10
STATE = "lk.agent.state"
TRANSCRIPTION = "lk.transcription"
FINAL = {"lk.transcription_final": "true"}
"""What AgentSession puts into the trailer of a stream whose words are complete."""


class FakeAgent:
    """One agent in the room while entered: a voice that is loud while it speaks, and a drawn face where wanted."""

    def __init__(
        self, url: str, token: SecretStr, *, face: tuple[int, int, int] | None = None, voice: bool = True
    ) -> None:
        self._url = url
        self._token = token
        self._face = face
        self._voice = voice
        self._room = rtc.Room()
        self._loudness = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> FakeAgent:
        await self._room.connect(self._url, self._token.get_secret_value())
        if self._voice:
            voice = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=200)
            track = rtc.LocalAudioTrack.create_audio_track("voice", voice)
            await self._publish(track, rtc.TrackSource.SOURCE_MICROPHONE)
            self._tasks.append(asyncio.create_task(self._sound(voice)))
        if self._face is not None:
            picture = rtc.VideoSource(SIZE, SIZE)
            await self._publish(rtc.LocalVideoTrack.create_video_track("face", picture), rtc.TrackSource.SOURCE_CAMERA)
            self._tasks.append(asyncio.create_task(self._draw(picture, self._face)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    async def enter(self, state: str) -> None:
        """Says what it does, as AgentSession would; it is heard while it speaks."""
        self._loudness = 0.35 if state == "speaking" else 0.0
        await self._room.local_participant.set_attributes({STATE: state})

    async def uses(self, tools: str) -> None:
        """Says which tools it uses; empty = none any more."""
        await self._room.local_participant.set_attributes({ACTIVITY_ATTRIBUTE: tools})

    async def say(self, text: str, *, segment: str, final: bool = True, speaker: str | None = None) -> None:
        """Publishes words as one whole stream, as the chair does for a person's; `speaker` is whose they are."""
        writer = await self._room.local_participant.stream_text(
            topic=TRANSCRIPTION,
            sender_identity=speaker,
            attributes={"lk.segment_id": segment, "lk.transcription_final": str(final).lower()},
        )
        await writer.write(text)
        await writer.aclose()

    async def start_saying(self, text: str, *, segment: str) -> rtc.TextStreamWriter:
        """Opens a stream as AgentSession does: words come one by one, and the trailer says that they are final."""
        writer = await self._room.local_participant.stream_text(
            topic=TRANSCRIPTION, attributes={"lk.segment_id": segment, "lk.transcription_final": "false"}
        )
        await writer.write(text)
        return writer

    async def chat(self, text: str) -> None:
        """Writes into the meeting's chat."""
        await self._room.local_participant.send_text(text, topic="lk.chat")

    def listen_to_chat(self) -> asyncio.Future[tuple[str, str]]:
        """Returns the next chat message to come: who wrote it, and what."""
        heard: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

        async def read(reader: rtc.TextStreamReader, identity: str) -> None:
            heard.set_result((identity, await reader.read_all()))

        def begin(reader: rtc.TextStreamReader, identity: str) -> None:
            self._tasks.append(asyncio.create_task(read(reader, identity)))

        self._room.register_text_stream_handler("lk.chat", begin)
        return heard

    async def _publish(self, track: rtc.LocalTrack, source: rtc.TrackSource.ValueType) -> None:
        await self._room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=source, dtx=False))

    async def _sound(self, source: rtc.AudioSource) -> None:
        at, length = 0, SAMPLE_RATE // 50
        while True:
            seconds = (np.arange(length) + at) / SAMPLE_RATE
            wave = np.sin(2 * math.pi * 220 * seconds) * (0.6 + 0.4 * np.sin(2 * math.pi * 3 * seconds))
            samples = (wave * self._loudness * 32_000).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, length))
            at += length

    async def _draw(self, source: rtc.VideoSource, colour: tuple[int, int, int]) -> None:
        pictures = [face(number / FPS, colour).tobytes() for number in range(FPS)]
        for picture in itertools.cycle(pictures):
            source.capture_frame(rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.RGBA, picture))
            await asyncio.sleep(1 / FPS)


def face(seconds: float, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Returns a picture of a head and shoulders whose mouth opens and closes, RGBA."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    picture = np.empty((SIZE, SIZE, 4), np.uint8)
    shade = (0.75 + 0.25 * (1 - y / SIZE))[..., None]
    picture[..., :3] = (np.array(colour, np.float32) * shade).astype(np.uint8)
    picture[..., 3] = 255

    def ellipse(cx: float, cy: float, rx: float, ry: float, fill: tuple[int, int, int]) -> None:
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
        picture[inside, :3] = fill

    ellipse(256, 560, 230, 190, (52, 61, 92))
    ellipse(256, 214, 136, 158, (48, 36, 32))
    ellipse(256, 246, 112, 136, (226, 178, 146))
    for side in (-44, 44):
        ellipse(256 + side, 228, 14, 9, (255, 255, 255))
        ellipse(256 + side, 228, 7, 8, (40, 34, 40))
    ellipse(256, 312, 34, 4 + 12 * abs(math.sin(seconds * 6)), (140, 52, 56))
    return picture


def write_camera(path: Path) -> None:
    """Writes a film of two seconds in the one format that Chromium plays as a camera."""
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W{SIZE} H{SIZE} F{FPS}:1 Ip A1:1 C420\n".encode())
        for number in range(2 * FPS):
            red, green, blue = np.moveaxis(face(number / FPS, (176, 168, 150))[..., :3].astype(np.float32), 2, 0)
            luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
            chroma = (
                128 - 0.148 * red - 0.291 * green + 0.439 * blue,
                128 + 0.439 * red - 0.368 * green - 0.071 * blue,
            )
            film.write(b"FRAME\n" + luma.astype(np.uint8).tobytes())
            for plane in chroma:
                film.write(plane[::2, ::2].astype(np.uint8).tobytes())
