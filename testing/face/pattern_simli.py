"""The local Simli server with a test picture in the place of its face, and a beep at every full second.

`python -m testing.face.pattern_simli --sizes 512x512,64x64 --size-s 2 …`; the server's options follow.
Pictures are numbered by the time of day, as many a second as there are frames, so that whoever reads a number knows
when that picture was due. Picture and beep leave by the same clock.
"""

from __future__ import annotations

import argparse
import asyncio
import fractions
import math
import sys
import time

import av
import numpy as np
from aiortc import MediaStreamTrack
from meetctl_agents.face.media.frames import frame_from_i420

from meetctl.local.simli import program
from meetctl.local.simli.media import peer
from meetctl.local.simli.media.audio48 import Upsampler
from meetctl.local.simli.sessions.session import SimliSession
from testing.face.pattern import NUMBERS, draw

CHUNK_S = 0.02
BEEP_S = 0.1
BEEP_HZ = 1000
STALLED_S = 0.5
"""Whoever is later than this does not make up for it."""


class Pictures(MediaStreamTrack):
    """Numbered pictures; the size changes every so many seconds."""

    kind = "video"
    sizes: tuple[tuple[int, int], ...] = ((512, 512),)
    size_s = 2.0

    def __init__(self, session: asyncio.Future[SimliSession], painters: object) -> None:
        super().__init__()
        self._session = session
        self._number = 0
        self._first = 0.0

    async def recv(self) -> av.VideoFrame:
        session = await asyncio.shield(self._session)
        now = time.time()
        self._first = self._first or now
        self._number = max(self._number + 1, math.floor(now * session.fps))
        due = self._number / session.fps
        await asyncio.sleep(due - time.time())
        width, height = self.sizes[int((due - self._first) / self.size_s) % len(self.sizes)]
        frame = frame_from_i420(draw(self._number % NUMBERS, width, height))
        frame.pts = round((due - math.floor(session.opened_at)) * peer.VIDEO_CLOCK)
        frame.time_base = fractions.Fraction(1, peer.VIDEO_CLOCK)
        return frame


class Sound(MediaStreamTrack):
    """What the session says, and the beep."""

    kind = "audio"

    def __init__(self, session: asyncio.Future[SimliSession]) -> None:
        super().__init__()
        self._session = session
        self._upsample = Upsampler()
        self._index = 0

    async def recv(self) -> av.AudioFrame:
        session = await asyncio.shield(self._session)
        now = time.time()
        if self._index == 0 or now - self._index * CHUNK_S > STALLED_S:
            self._index = math.ceil(now / CHUNK_S)
        due = self._index * CHUNK_S
        await asyncio.sleep(due - time.time())
        samples = self._upsample(session.next_audio())
        if (due + 1e-6) % 1 < BEEP_S:
            at = np.arange(samples.size) / peer.AUDIO_CLOCK + due % 1
            samples = (samples // 2 + 12_000 * np.sin(2 * np.pi * BEEP_HZ * at)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2)[np.newaxis], format="s16", layout="stereo")
        frame.sample_rate = peer.AUDIO_CLOCK
        frame.time_base = fractions.Fraction(1, peer.AUDIO_CLOCK)
        frame.pts = round((due - math.floor(session.opened_at)) * peer.AUDIO_CLOCK)
        self._index += 1
        return frame


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Returns the sizes of `512x512,64x64`."""
    width_height = (size.split("x") for size in text.split(","))
    return tuple((int(width), int(height)) for width, height in width_height)


def main() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--sizes", type=parse_sizes, default=Pictures.sizes)
    parser.add_argument("--size-s", type=float, default=Pictures.size_s)
    own, rest = parser.parse_known_args()
    Pictures.sizes, Pictures.size_s = own.sizes, own.size_s
    peer.PictureTrack = Pictures  # type: ignore[assignment, misc]
    peer.SpeechTrack = Sound  # type: ignore[assignment, misc]
    sys.argv[1:] = rest
    program.main()


if __name__ == "__main__":
    main()
