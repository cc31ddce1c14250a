"""The voice's last step: one audio track in the room that never pauses, fed with live sound or with silence.

Sound goes out the moment it comes, 10 ms at a time, past LiveKit's own queue (a burst would stay in it for ever). What
keeps the track going is a thread with a loop of its own: a receiver that misses time takes every later packet for late,
and slows down for a quarter of a minute until voice and lips are apart by as much as this process stood still.
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
STALL_S = 0.25
"""Without a sound for so long the source stands still. From then on silence is on time, not late by the grace it had:
the sound that comes back would else come early by as much, and a receiver keeps that as delay."""
CATCH_UP_FRAMES = 100
"""If even the thread stood still, up to a second is made up for at once."""
WAITING_FRAMES = 50
"""Half a second: more is never wanted, and a room that takes nothing for a while must not cost memory."""
STREAM = "avatar"
"""Voice and face carry the same name: it is what makes a receiver play them in step."""

SILENCE: Samples = np.zeros(FRAME, np.int16)


class RoomAudio:
    """Publishes the agent's voice: live sound by `push`, anything else by what `run` is given."""

    def __init__(self) -> None:
        self._waiting: deque[Samples] = deque(maxlen=WAITING_FRAMES)
        self._rest: Samples = SILENCE[:0]
        self._live_at = 0.0
        self._pacer: _Pacer | None = None

    @property
    def waiting_s(self) -> float:
        """Seconds of live sound that the room has not taken yet."""
        return len(self._waiting) * SECONDS_PER_FRAME

    @property
    def dropped(self) -> int:
        """Frames of 10 ms given up after bursts."""
        return 0 if self._pacer is None else self._pacer.dropped

    async def publish(self, room: rtc.Room) -> None:
        """Puts the track into the room; `run` must follow at once."""
        self._pacer = _Pacer(self._waiting)
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._pacer.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True, stream=STREAM)
        await room.local_participant.publish_track(track, options)

    def push(self, samples: Samples) -> None:
        """Takes live sound, mono 48 kHz, any length."""
        self._live_at = time.monotonic()
        if self._rest.size:
            samples = np.concatenate((self._rest, samples))
        whole = samples.size - samples.size % FRAME
        self._give([samples[start : start + FRAME] for start in range(0, whole, FRAME)])
        self._rest = samples[whole:]

    async def run(self, fill: Callable[[], Samples | None]) -> None:
        """Feeds the track until cancelled; `fill` gives the next `FRAME` samples, or None for silence."""
        assert self._pacer is not None
        pacing = asyncio.create_task(asyncio.to_thread(self._pacer.run), name="room-audio-pacer")
        filling = asyncio.create_task(self._fill(fill), name="room-audio-fill")
        try:
            done, _ = await asyncio.wait({pacing, filling}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            filling.cancel()
            self._pacer.stop()
            await asyncio.wait({pacing, filling})

    def _give(self, frames: list[Samples]) -> None:
        if self._pacer is None:
            self._waiting.extend(frames)
        else:
            self._pacer.give(frames)

    async def _fill(self, fill: Callable[[], Samples | None]) -> None:
        grace = GRACE_FRAMES * SECONDS_PER_FRAME
        clock = AudioClock(time.monotonic())
        while True:
            now = time.monotonic()
            if now - self._live_at < grace:
                clock.restart(now)
                await asyncio.sleep(self._live_at + grace - now)
            elif (ahead := clock.ahead(now)) > 0:
                await asyncio.sleep(ahead * SECONDS_PER_FRAME)
            else:
                if ahead < -GRACE_FRAMES:
                    clock.restart(now)
                filled = [samples for samples in (fill() for _ in range(FILL_FRAMES)) if samples is not None]
                clock.pushed += FILL_FRAMES
                self._give(filled)


class _Pacer:
    """The thread: takes what waits, keeps the track's clock, puts silence where nothing came."""

    def __init__(self, waiting: deque[Samples]) -> None:
        self._loop = asyncio.new_event_loop()
        self._waiting = waiting
        self._arrived = asyncio.Event()
        self._stopped = asyncio.Event()
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=0, loop=self._loop)
        self.dropped = 0

    def give(self, frames: list[Samples]) -> None:
        """Takes frames, from any thread."""
        with contextlib.suppress(RuntimeError):  # the last sound may come after the end
            self._loop.call_soon_threadsafe(self._take, frames)

    def stop(self) -> None:
        """Ends `run`, from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopped.set)

    def run(self) -> None:
        """Feeds the track until stopped; to be run in a thread of its own."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._until_stopped())
        finally:
            asyncio.set_event_loop(None)
            self._loop.close()

    def _take(self, frames: list[Samples]) -> None:
        self._waiting.extend(frames)
        self._arrived.set()

    async def _until_stopped(self) -> None:
        stopped, pacing = asyncio.create_task(self._stopped.wait()), asyncio.create_task(self._pace())
        await asyncio.wait({stopped, pacing}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, pacing):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pacing

    async def _pace(self) -> None:
        clock = AudioClock(time.monotonic())
        fed_at = time.monotonic()
        while True:
            now = time.monotonic()
            ahead = clock.ahead(now)
            behind = GRACE_FRAMES if now - fed_at < STALL_S else 0
            if ahead < -CATCH_UP_FRAMES:
                clock.restart(now, -CATCH_UP_FRAMES)
            if self._waiting:
                self.dropped += trim(self._waiting, ahead)
                batch = list(self._waiting)
                fed_at = now
                self._waiting.clear()  # what comes while these go out is judged anew: a burst comes in pieces
                for samples in batch:
                    await self._capture(samples, clock)
                clock.settle(time.monotonic())
            elif ahead > -behind:
                await self._wait((ahead + behind) * SECONDS_PER_FRAME)
            else:
                await self._capture(SILENCE, clock)

    async def _wait(self, seconds: float) -> None:
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrived.wait()

    async def _capture(self, samples: Samples, clock: AudioClock) -> None:
        clock.pushed += 1
        await self.source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME))
