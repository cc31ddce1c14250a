"""The agent's voice on its way out: through the face while there is one, straight into the room while there is none.

It is the audio output of the agent session. Speech that the face did not get to say is said without it, from the point
reached: a face that dies in mid-sentence does not take the sentence along.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

import av
import numpy as np
from livekit import rtc
from livekit.agents.voice import io

from ..media.pace import Samples, is_loud
from ..media.room_audio import FRAME, SILENCE
from ..media.room_audio import SAMPLE_RATE as ROOM_RATE
from ..signaling.base import SAMPLE_RATE, FaceSignal
from .playout import DroppedSpeechMute, Playout

READ_AHEAD = SAMPLE_RATE // 10
"""Samples resampled at a time when speaking without the face."""

logger = logging.getLogger(__name__)


class SpeechSink(Protocol):
    """A face that can speak; neither call waits."""

    def speak(self, pcm: bytes) -> None: ...

    def skip(self) -> None: ...


class FaceAudioOutput(io.AudioOutput):
    """Takes speech at 16 kHz. `sound_out` gets what the room hears of a face (mono 48 kHz); `fill` gives the rest."""

    def __init__(self, sound_out: Callable[[Samples], None]) -> None:
        capabilities = io.AudioOutputCapabilities(pause=False)
        super().__init__(label="face", capabilities=capabilities, sample_rate=SAMPLE_RATE)
        self._sound_out = sound_out
        self._speech_sink: SpeechSink | None = None
        self._segment: _Segment | None = None
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._dropping = False
        self._mute = DroppedSpeechMute()

    # --- from the agent session ---

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        segment = self._segment
        if segment is None or segment.flushed:
            await self._vacant.wait()
        await super().capture_frame(frame)
        if self._dropping:
            return  # the rest of a segment that was cleared; its end has been told
        if self._segment is None:
            self._segment = _Segment(through_face=self._speech_sink is not None)
            self._vacant.clear()
        samples = np.frombuffer(frame.data, np.int16)
        self._segment.add(samples)
        if self._segment.playout is not None and self._speech_sink is not None:
            self._speech_sink.speak(samples.tobytes())

    def flush(self) -> None:
        super().flush()
        self._dropping = False
        if self._segment is not None:
            self._segment.flush()

    def clear_buffer(self) -> None:
        segment = self._segment
        if segment is None:
            return
        if segment.playout is not None and self._speech_sink is not None:
            self._speech_sink.skip()
            self._mute.begin()
        self._dropping = not segment.flushed
        self._finish(segment, interrupted=True)

    # --- from the face ---

    @property
    def vacant(self) -> bool:
        """Whether nothing is being said."""
        return self._vacant.is_set()

    async def wait_vacant(self) -> None:
        """Returns once nothing is being said."""
        await self._vacant.wait()

    def attach(self, sink: SpeechSink) -> None:
        """Speaks the next segment through this face."""
        self._speech_sink = sink
        self._mute = DroppedSpeechMute()

    def detach(self) -> None:
        """The face is gone: what it did not get to say is said without it."""
        self._speech_sink = None
        if self._segment is not None:
            self._segment.leave_face()

    def sound(self, frame: av.AudioFrame) -> None:
        """Takes what the face sounds like; until it is attached nobody hears it."""
        if self._speech_sink is None:
            return
        samples = mono(frame)
        loud = is_loud(samples)
        seconds = samples.size / ROOM_RATE
        segment = self._segment
        if self._mute.hear(seconds, loud):
            self._sound_out(np.zeros_like(samples))
        elif segment is None:
            self._sound_out(samples)
        elif segment.playout is not None:
            self._sound_out(samples)
            self._follow(segment, segment.playout, seconds, loud)

    def said(self, said: FaceSignal) -> None:
        """Takes SPEAK and SILENT of the attached face."""
        self._mute.said(said)
        if self._segment is not None and self._segment.playout is not None and not self._mute.on:
            self._segment.playout.said(said)

    # --- from the room's audio track ---

    def fill(self) -> Samples | None:
        """Returns the next 10 ms of speech that goes out without the face, (480,) int16; None = silence."""
        segment = self._segment
        if segment is None or segment.playout is not None:
            return None
        samples = segment.read()
        if samples is None:
            if segment.exhausted:
                self._finish(segment, interrupted=False)
            return None
        self._start(segment)
        return samples

    def _follow(self, segment: _Segment, playout: Playout, seconds: float, loud: bool) -> None:
        playout.hear(seconds, loud)
        if playout.started:
            self._start(segment)
        if playout.finished:
            self._finish(segment, interrupted=False)
        elif playout.broken:
            logger.warning("the face returned no sound for what it was sent; speaking without it")
            segment.leave_face()
            if self._speech_sink is not None:
                self._speech_sink.skip()  # else it may come after all, and be heard twice
            self._mute.begin()

    def _start(self, segment: _Segment) -> None:
        if not segment.started:
            segment.started = True
            self.on_playback_started(created_at=time.time())

    def _finish(self, segment: _Segment, *, interrupted: bool) -> None:
        self._segment = None
        self._vacant.set()
        self.on_playback_finished(playback_position=segment.position / SAMPLE_RATE, interrupted=interrupted)


class _Segment:
    """One stretch of speech, kept until it has been heard. `playout` is there as long as the face speaks it."""

    def __init__(self, *, through_face: bool) -> None:
        self.playout: Playout | None = Playout() if through_face else None
        self.started = False
        self.flushed = False
        self._pcm: list[Samples] = []
        self._read = 0
        self._resampler: rtc.AudioResampler | None = None
        self._ready: Samples = SILENCE[:0]
        self._drained = False

    @property
    def position(self) -> int:
        """How much has been heard, in samples of 16 kHz."""
        if self.playout is not None:
            return self.playout.position
        return max(0, self._read - self._ready.size * SAMPLE_RATE // ROOM_RATE)

    @property
    def exhausted(self) -> bool:
        """Whether, spoken without the face, nothing is left and nothing will come."""
        return self.flushed and self._drained and not self._ready.size

    def add(self, samples: Samples) -> None:
        self._pcm.append(samples)
        if self.playout is not None:
            self.playout.send(samples)

    def flush(self) -> None:
        self.flushed = True
        if self.playout is not None:
            self.playout.flushed = True

    def leave_face(self) -> None:
        """Goes on without the face, from where it got to."""
        if self.playout is not None:
            self._read = self.playout.position
            self.playout = None

    def read(self) -> Samples | None:
        """Returns the next 10 ms at 48 kHz; None where more has to come first, or nothing more comes."""
        while self._ready.size < FRAME and self._resample():
            pass
        if not self._ready.size or (self._ready.size < FRAME and not self._drained):
            return None
        out, self._ready = self._ready[:FRAME], self._ready[FRAME:]
        return np.pad(out, (0, FRAME - out.size))

    def _resample(self) -> bool:
        """Makes more ready; tells whether there was anything to do."""
        if self._resampler is None:
            self._resampler = rtc.AudioResampler(SAMPLE_RATE, ROOM_RATE)
        pcm = np.concatenate(self._pcm) if self._pcm else SILENCE[:0]
        self._pcm = [pcm]
        piece = pcm[self._read : self._read + READ_AHEAD]
        if piece.size:
            self._read += piece.size
            frames = self._resampler.push(bytearray(piece.tobytes()))
        elif self.flushed and not self._drained:
            self._drained = True
            frames = self._resampler.flush()
        else:
            return False
        self._ready = np.concatenate((self._ready, *(np.frombuffer(frame.data, np.int16) for frame in frames)))
        return True


def mono(frame: av.AudioFrame) -> Samples:
    """Returns a decoded frame (16 bits, interleaved or not, one or two channels) as one channel."""
    channels = len(frame.layout.channels)
    planes = [np.frombuffer(memoryview(plane), np.int16) for plane in frame.planes]
    if channels == 1:
        return planes[0][: frame.samples]
    if frame.format.is_packed:
        both = planes[0][: frame.samples * channels]
        planes = [both[::channels], both[1::channels]]
    left, right = (plane[: frame.samples] for plane in planes[:2])
    return (left >> 1) + (right >> 1)
