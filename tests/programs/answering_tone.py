"""An agent of its own, `python -m tests.programs.answering_tone`: once it hears somebody, it sounds a tone.

Whoever hears the tone was heard, and hears. It loads no model.
"""

from __future__ import annotations

import asyncio
import os

import numpy as np
from livekit import rtc

RATE = 48_000
LOUD = 0.02
"""Root mean square, 1 being full scale: above what a quiet room sends."""
TONE_HZ = 440
FRAME = RATE // 100


async def main() -> None:
    room, heard = rtc.Room(), asyncio.Event()
    listening: list[asyncio.Task[None]] = []

    async def listen(track: rtc.Track) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            samples = np.frombuffer(event.frame.data, np.int16).astype(np.float32) / 32_768
            if float(np.sqrt(np.mean(samples**2))) > LOUD:
                heard.set()

    @room.on("track_subscribed")
    def subscribed(track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            listening.append(asyncio.create_task(listen(track)))

    await room.connect(os.environ["LIVEKIT_URL"], os.environ["LIVEKIT_TOKEN"])
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    at = 0
    while room.isconnected():
        wave = np.sin(2 * np.pi * TONE_HZ * (at + np.arange(FRAME)) / RATE) * (8_000 if heard.is_set() else 0)
        await source.capture_frame(rtc.AudioFrame(wave.astype(np.int16).tobytes(), RATE, 1, FRAME))
        at += FRAME


if __name__ == "__main__":
    asyncio.run(main())
