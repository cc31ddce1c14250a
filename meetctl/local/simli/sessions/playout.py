"""What a session says and when: the queue of speech, played out in real time. No clock and no network of its own.

Audio arrives faster than real time and leaves in chunks of 20 ms; a chunk without speech is silence. The samples
around the moment being played, past and future, are there for the mouth to look at.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
CHUNK_SAMPLES = 320
"""20 ms, the packet that Opus sends."""
CHUNK_SECONDS = CHUNK_SAMPLES / SAMPLE_RATE

SPEECH_PEAK = 200
"""Of 32767; below it a chunk is the silence with which clients keep a stream warm, not speech."""

_PAST_SAMPLES = 3_200
"""200 ms: what the mouth may still look back at when video runs late."""

Samples = NDArray[np.int16]


class SampleQueue:
    """A queue of 16 kHz mono samples and the point up to which it was played."""

    def __init__(self) -> None:
        self.speaking = False
        """True from the first chunk with sound until the queue has drained."""
        self.finishing = False
        """True when no more audio will come."""
        self.position = 0
        """Samples played since the start, silence included."""
        self.pushed = 0
        """Samples of speech that ever came in."""
        self.consumed = 0
        """Samples of speech that left: played, or dropped."""
        self._queue: deque[Samples] = deque()
        self._queued = 0
        self.consumed = self.pushed
        self._odd = b""
        self._past: Samples = np.zeros(_PAST_SAMPLES, np.int16)

    @property
    def queued_seconds(self) -> float:
        return self._queued / SAMPLE_RATE

    @property
    def empty(self) -> bool:
        return self._queued == 0

    def push(self, pcm: bytes) -> None:
        """Appends PCM16LE; a sample split between two messages is joined."""
        pcm = self._odd + pcm
        whole = len(pcm) // 2 * 2
        self._odd = pcm[whole:]
        if whole:
            samples = np.frombuffer(pcm[:whole], "<i2").astype(np.int16, copy=False)
            self._queue.append(samples)
            self._queued += len(samples)
            self.pushed += len(samples)

    def clear(self) -> None:
        """Drops everything queued; what was played stays played."""
        self._queue.clear()
        self._queued = 0
        self.consumed = self.pushed
        self._odd = b""
        self.speaking = False

    def take(self) -> Samples:
        """Returns the next 20 ms, (320,) int16, and moves on."""
        spoken = self._dequeue(CHUNK_SAMPLES)
        if len(spoken) and int(np.abs(spoken.astype(np.int32)).max()) >= SPEECH_PEAK:
            self.speaking = True
        elif self.empty and not len(spoken):
            self.speaking = False
        chunk = np.zeros(CHUNK_SAMPLES, np.int16)
        chunk[: len(spoken)] = spoken
        self._past = np.concatenate([self._past[CHUNK_SAMPLES:], chunk])
        self.position += CHUNK_SAMPLES
        return chunk

    def around(self, sample: int, length: int) -> Samples:
        """Returns `length` samples centred on the given one, (length,) int16; what is unknown is silence."""
        start = sample - length // 2
        offset = start - (self.position - _PAST_SAMPLES)
        known = np.concatenate([self._past, self._peek(max(0, start + length - self.position))])
        window = np.zeros(length, np.int16)
        low, high = max(0, offset), min(len(known), offset + length)
        if high > low:
            window[low - offset : high - offset] = known[low:high]
        return window

    def _dequeue(self, count: int) -> Samples:
        parts: list[Samples] = []
        while count and self._queue:
            head = self._queue.popleft()
            parts.append(head[:count])
            if len(head) > count:
                self._queue.appendleft(head[count:])
            count -= len(parts[-1])
            self._queued -= len(parts[-1])
            self.consumed += len(parts[-1])
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _peek(self, count: int) -> Samples:
        parts: list[Samples] = []
        for head in self._queue:
            if count <= 0:
                break
            parts.append(head[:count])
            count -= len(parts[-1])
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)
