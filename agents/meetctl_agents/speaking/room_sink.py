"""The audio-only agent's voice in the room: one track, published at once, silent whenever nobody speaks.

An `io.AudioOutput` that an AgentSession writes to. The track's source sends silence by itself while it is given
nothing, so idling costs no Python at all; by DTX that is 5 packets a second in place of 50 (measured: what a listener
receives of twelve silent agents is 38 kbit/s in place of 800, and the first 100 ms of a word arrive). Speech is
handed over in small pieces that stay a few tens of milliseconds ahead of what is heard, so that an interruption is
silent at once and what was played is known to the piece. Knows nothing of sessions or floors.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from types import TracebackType
from typing import Self

from livekit import rtc
from livekit.agents.voice import io

SAMPLE_RATE = 24_000
"""Hertz; what the speech models produce, so that nothing is resampled before Opus."""
PIECE_MS = 10
"""The source plays in steps of 10 ms; a longer piece would be cut up there, out of our sight."""
AHEAD_MS = 40
"""How much the source holds: enough to ride out a busy moment of the loop, little enough to throw away."""
TAIL_MS = 120
"""Silence after speech: a source that runs dry sends nothing for 100 ms, and a receiver stretches the last sound."""
CAPTURE_S = 3.0
"""The source takes a piece within `AHEAD_MS`. Runs out where its native side lost the piece; what was to be said then
is dropped, and the segment reported."""
TRACK_NAME = "voice"

logger = logging.getLogger(__name__)


class _Segment:
    """One stretch of speech between two flushes."""

    def __init__(self) -> None:
        self.pieces: deque[rtc.AudioFrame] = deque()
        self.flushed = False
        self.started = False
        self.pushed_s = 0.0


class RoomAudioSink(io.AudioOutput):
    """Publishes the agent's voice; async context manager around the track.

    Args:
        sample_rate: of what it is given, hertz.
    """

    def __init__(self, room: rtc.Room, sample_rate: int = SAMPLE_RATE) -> None:
        super().__init__(
            label="room",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=sample_rate,
        )
        self._room = room
        self._source = rtc.AudioSource(sample_rate, 1, queue_size_ms=AHEAD_MS)
        self._cutter = _Cutter(sample_rate)
        self._segments: deque[_Segment] = deque()
        self._dropping = False
        self._wake = asyncio.Event()
        self._playing: asyncio.Task[None] | None = None
        self._publication: rtc.LocalTrackPublication | None = None

    async def __aenter__(self) -> Self:
        track = rtc.LocalAudioTrack.create_audio_track(TRACK_NAME, self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True)
        self._publication = await self._room.local_participant.publish_track(track, options)
        self._playing = asyncio.create_task(self._play(), name="audio-sink")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.wait({self._playing})
        await self._source.aclose()

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if self._dropping:
            return  # its segment was cleared; what still comes before the flush belongs to nothing
        if not self._segments or self._segments[-1].flushed:
            self._segments.append(_Segment())
        self._segments[-1].pieces.extend(self._cutter.push(frame))
        self._wake.set()

    def flush(self) -> None:
        super().flush()
        self._dropping = False
        if self._segments and not self._segments[-1].flushed:
            self._segments[-1].pieces.extend(self._cutter.flush())
            self._segments[-1].flushed = True
        self._wake.set()

    def clear_buffer(self) -> None:
        cleared = list(self._segments)
        if not cleared:
            return
        self._segments.clear()
        self._cutter.flush()
        self._dropping = not cleared[-1].flushed
        unplayed = self._source.queued_duration
        self._source.clear_queue()
        self._wake.set()
        for segment in cleared:
            position = max(0.0, segment.pushed_s - unplayed)
            unplayed = 0.0  # only the first of them had begun
            self.on_playback_finished(playback_position=position, interrupted=True)

    async def _play(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._play_segments()
            except Exception:
                # A segment that is never reported finished would leave the agent "speaking" for ever.
                logger.exception("playing failed; what was to be said is dropped")
                self.clear_buffer()

    async def _play_segments(self) -> None:
        while self._segments:
            segment = self._segments[0]
            await self._play_pieces(segment)
            if segment.flushed and not segment.pieces:
                await self._finish(segment)
            elif self._is_current(segment):
                break  # more is to come
        await self._push_silence()

    async def _play_pieces(self, segment: _Segment) -> None:
        while segment.pieces and self._is_current(segment):
            piece = segment.pieces.popleft()
            if not segment.started:
                segment.started = True
                self.on_playback_started(created_at=time.time())
            segment.pushed_s += piece.duration
            await self._capture(piece)

    async def _finish(self, segment: _Segment) -> None:
        # The event ends the wait early when the segment is cleared: it has then been reported already.
        while self._is_current(segment) and (left := self._source.queued_duration) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._wake.wait()
                self._wake.clear()
            except TimeoutError:
                pass
        if self._is_current(segment):
            self._segments.popleft()
            self.on_playback_finished(playback_position=segment.pushed_s, interrupted=False)

    async def _push_silence(self) -> None:
        piece = self._cutter.silence
        for _ in range(TAIL_MS // PIECE_MS):
            if self._segments and self._segments[0].pieces:
                return
            await self._capture(piece)

    async def _capture(self, piece: rtc.AudioFrame) -> None:
        async with asyncio.timeout(CAPTURE_S):
            await self._source.capture_frame(piece)

    def _is_current(self, segment: _Segment) -> bool:
        return bool(self._segments) and self._segments[0] is segment


class _Cutter:
    """Cuts frames of any length into pieces of `PIECE_MS`; the last one of a flush may be shorter."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._size = sample_rate * PIECE_MS // 1000 * 2
        self._rest = b""

    @property
    def silence(self) -> rtc.AudioFrame:
        """One piece of it."""
        return self._frame(bytes(self._size))

    def push(self, frame: rtc.AudioFrame) -> list[rtc.AudioFrame]:
        self._rest += bytes(frame.data)
        whole = len(self._rest) // self._size * self._size
        pieces = [self._frame(self._rest[start : start + self._size]) for start in range(0, whole, self._size)]
        self._rest = self._rest[whole:]
        return pieces

    def flush(self) -> list[rtc.AudioFrame]:
        rest, self._rest = self._rest, b""
        return [self._frame(rest)] if rest else []

    def _frame(self, samples: bytes) -> rtc.AudioFrame:
        return rtc.AudioFrame(samples, self._sample_rate, 1, len(samples) // 2)
