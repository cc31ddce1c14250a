"""The voice of an agent whose avatar joins the room itself: streamed to the avatar, or said in the room without it.

Each segment goes one way from its first sample to its last. What an avatar that has left did not say is lost, and told.
"""

from __future__ import annotations

import asyncio
import time

from livekit import rtc
from livekit.agents.voice import io

from ..signaling.base import SAMPLE_RATE


class DirectOutput(io.AudioOutput):
    """Takes speech at 16 kHz. `fallback` speaks while `join` has not been called, or after `leave`."""

    def __init__(self, fallback: io.AudioOutput) -> None:
        capabilities = io.AudioOutputCapabilities(pause=False)
        super().__init__(label="direct", capabilities=capabilities, sample_rate=SAMPLE_RATE)
        self._fallback = fallback
        self._avatar: io.AudioOutput | None = None
        self._speaking: io.AudioOutput | None = None
        """Who says the segment that is being captured."""
        self._open: list[io.AudioOutput] = []
        """Who says each segment that has not ended."""
        self._started_at: float | None = None
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._follow(fallback)

    def join(self, avatar: io.AudioOutput) -> None:
        """Speaks the next segment through the avatar."""
        self._avatar = avatar
        self._follow(avatar)

    def leave(self) -> None:
        """The avatar is gone: what it had to say has ended where it was."""
        gone, self._avatar = self._avatar, None
        for _ in range(self._open.count(gone) if gone is not None else 0):
            assert gone is not None
            self._finished(gone, 0.0 if self._started_at is None else time.time() - self._started_at, True)
        if self._speaking is gone:
            self._speaking = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        if self._speaking is None:
            wanted = self._avatar or self._fallback
            if self._open and self._open[-1] is not wanted:
                await self._vacant.wait()  # two voices at once, otherwise
            self._speaking = self._avatar or self._fallback
            self._open.append(self._speaking)
            self._vacant.clear()
        await super().capture_frame(frame)
        await self._speaking.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        if self._speaking is not None:
            self._speaking.flush()
            self._speaking = None

    def clear_buffer(self) -> None:
        for output in {id(each): each for each in self._open}.values():
            output.clear_buffer()

    def _follow(self, output: io.AudioOutput) -> None:
        def started(event: io.PlaybackStartedEvent) -> None:
            if output in self._open:
                self._started_at = event.created_at
                self.on_playback_started(created_at=event.created_at)

        def finished(event: io.PlaybackFinishedEvent) -> None:
            self._finished(output, event.playback_position, event.interrupted)

        output.on("playback_started", started)
        output.on("playback_finished", finished)

    def _finished(self, output: io.AudioOutput, position: float, interrupted: bool) -> None:
        if output not in self._open:
            return  # of an avatar that was given up
        self._open.remove(output)
        self._started_at = None
        if not self._open:
            self._vacant.set()
        self.on_playback_finished(playback_position=position, interrupted=interrupted)
