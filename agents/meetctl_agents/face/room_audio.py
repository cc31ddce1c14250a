"""The voice's last step: one audio track in the room that never pauses, fed with live sound or with silence.

Sound goes out the moment it comes, 10 ms at a time, past LiveKit's own queue (a burst would stay in it for ever). Where
no live sound comes, a filler is asked: the agent's speech without a face, else silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from livekit import rtc

from .pace import GRACE_FRAMES, SECONDS_PER_FRAME, AudioClock, Samples, trim

SAMPLE_RATE = 48_000
FRAME = round(SAMPLE_RATE * SECONDS_PER_FRAME)
"""Samples of one push."""
FILL_FRAMES = 2
"""Filled at a time: waking 50 times a second is enough."""

STREAM = "avatar"
"""Voice and face carry the same name: it is what makes a receiver play them in step."""

SILENCE: Samples = np.zeros(FRAME, np.int16)


class RoomAudio:
    """Publishes the agent's voice: live sound by `push`, anything else by what `run` is given."""

    def __init__(self) -> None:
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=0)
        self._waiting: deque[Samples] = deque()
        self._rest: Samples = SILENCE[:0]
        self._arrived = asyncio.Event()
        self.dropped = 0
        """Frames of 10 ms given up after bursts."""

    async def publish(self, room: rtc.Room) -> None:
        """Puts the track into the room; `run` must follow at once."""
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, stream=STREAM)
        await room.local_participant.publish_track(track, options)

    def push(self, samples: Samples) -> None:
        """Takes live sound, mono 48 kHz, any length."""
        if self._rest.size:
            samples = np.concatenate((self._rest, samples))
        whole = samples.size - samples.size % FRAME
        self._waiting.extend(samples[start : start + FRAME] for start in range(0, whole, FRAME))
        self._rest = samples[whole:]
        self._arrived.set()

    async def run(self, fill: Callable[[], Samples | None]) -> None:
        """Feeds the track until cancelled; `fill` gives the next `FRAME` samples, or None for silence."""
        clock = AudioClock(time.monotonic())
        live = False
        while True:
            now = time.monotonic()
            if self._waiting:
                if not live or clock.ahead(now) < -GRACE_FRAMES:
                    clock.restart(now)  # what was missed meanwhile is not made up for
                live = True
                self.dropped += trim(self._waiting, clock.ahead(now))
                while self._waiting:
                    await self._capture(self._waiting.popleft(), clock)
            elif clock.ahead(now) > -GRACE_FRAMES:
                await self._wait((clock.ahead(now) + GRACE_FRAMES) * SECONDS_PER_FRAME)
            else:
                live = False
                if clock.ahead(now) < -2 * GRACE_FRAMES:
                    clock.restart(now, -GRACE_FRAMES)
                for _ in range(FILL_FRAMES):
                    filled = fill()
                    await self._capture(SILENCE if filled is None else filled, clock)

    async def _wait(self, seconds: float) -> None:
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    async def _capture(self, samples: Samples, clock: AudioClock) -> None:
        clock.pushed += 1
        frame = rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME)
        await self._source.capture_frame(frame)
