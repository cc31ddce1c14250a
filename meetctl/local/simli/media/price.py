"""What one picture of a local face costs on this machine: measured by drawing, encoding, decoding and encoding again.

That is the way of a bridged face's picture; everything else that an avatar costs goes along with it.
"""

from __future__ import annotations

import fractions
import time

import av

from meetctl.local.simli.face.motion import Motion
from meetctl.local.simli.face.pose import Mouth
from meetctl.local.simli.face.renderer import renderer_for
from meetctl.local.simli.media.encoder import frame_from_rgba, opened

FPS = 25
BITRATE = 2_500_000
PICTURES = 50
"""Two seconds of a face; a quarter of a second of work."""
UNCOUNTED = 5
"""The first ones make what the others find made."""


def picture_ms(face_id: str, size: int) -> float:
    """Returns milliseconds of a core for one picture; blocks for as long as the pictures take.

    What the thread used counts, not how long it took: it is the same on a busy machine, or nearly.
    """
    face, motion = renderer_for(face_id, size), Motion(face_id)
    encoders = [opened(size, size, BITRATE) for _ in range(2)]
    decoder = av.CodecContext.create("vp8", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    began = 0.0
    for number in range(PICTURES + UNCOUNTED):
        if number == UNCOUNTED:
            began = time.thread_time()
        frame = frame_from_rgba(face.paint(motion.pose(number / FPS, Mouth(), speaking=False), wait=False))
        for encoder in encoders:
            frame.pts, frame.time_base = number, fractions.Fraction(1, FPS)
            for packet in encoder.encode(frame):
                frame = next(iter(decoder.decode(packet)), frame) if encoder is encoders[0] else frame
    return (time.thread_time() - began) * 1000 / PICTURES
