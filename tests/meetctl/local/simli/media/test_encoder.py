"""The encoder of drawn faces, beside aiortc's own: the same pictures, fewer bits, no worse to look at."""

from __future__ import annotations

import fractions
import math
from collections.abc import Iterator
from itertools import islice

import av
import numpy as np
import pytest
from aiortc.codecs import vpx
from numpy.typing import NDArray

from meetctl.local.simli.face.pose import Pose
from meetctl.local.simli.face.renderer import renderer_for
from meetctl.local.simli.media import encoder as drawn

SIZE, FPS, FRAMES = 256, 25, 50


def frames() -> Iterator[av.VideoFrame]:
    """Yields two seconds of a face that breathes, turns and speaks."""
    face = renderer_for("ada", SIZE)
    for index in range(FRAMES):
        at = index / FPS
        pose = Pose(turn=math.sin(at), nod=math.sin(at / 2), breath=(1 + math.sin(at)) / 2)
        frame = drawn.frame_from_rgba(face.paint(pose))
        frame.pts, frame.time_base = round(at * 90_000), fractions.Fraction(1, 90_000)
        yield frame


def luma(frame: av.VideoFrame) -> NDArray[np.float64]:
    return frame.to_ndarray()[: frame.height].astype(float)


class Whole:
    """Leaves a frame in one piece."""

    @classmethod
    def _packetize(cls, buffer: bytes, picture_id: int) -> list[bytes]:
        return [buffer] if buffer else []


class Ours(Whole, drawn.DrawnVp8Encoder):
    pass


class Theirs(Whole, vpx.Vp8Encoder):
    pass


def seen(encoder: vpx.Vp8Encoder) -> tuple[int, float]:
    """Returns how many bytes the pictures take, and the worst twentieth of their likeness, dB."""
    decoder = av.CodecContext.create("vp8", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    taken, errors = 0, []
    for frame in frames():
        true = luma(frame)
        (encoded,), _ = encoder.encode(frame)
        taken += len(encoded)
        (shown,) = decoder.decode(av.Packet(encoded))
        errors.append(np.square(luma(shown) - true).mean())
    assert len(errors) == FRAMES
    return taken, float(10 * np.log10(255**2 / np.percentile(errors, 95)))


def test_a_drawn_face_takes_fewer_bits_than_by_aiortcs_settings_and_looks_no_worse() -> None:
    ours, theirs = seen(Ours()), seen(Theirs())
    assert ours[0] < theirs[0]
    assert ours[1] > theirs[1] - 1


def test_the_encoder_is_kept_until_size_or_rate_change(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[av.VideoCodecContext] = []

    def opened(width: int, height: int, bitrate: int) -> av.VideoCodecContext:
        made.append(open_one(width, height, bitrate))
        return made[-1]

    open_one = drawn.opened
    monkeypatch.setattr(drawn, "opened", opened)
    encoder = drawn.DrawnVp8Encoder()
    for frame in islice(frames(), 2):
        payloads, _ = encoder.encode(frame)
        assert payloads
        assert [encoder.codec] == made
    larger = drawn.frame_from_rgba(np.zeros((128, 128, 4), np.uint8))
    larger.pts, larger.time_base = 0, fractions.Fraction(1, 90_000)
    encoder.encode(larger)
    encoder.target_bitrate = vpx.MIN_BITRATE
    encoder.encode(larger)
    assert len(made) == 3 and encoder.codec is made[-1]
