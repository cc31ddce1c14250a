"""Pictures as bytes: decoded frames to tightly packed I420, of any size, odd ones included. Pure; no tracks, no clock.

LiveKit reads a frame's planes from width and height alone and does not check the buffer's length: a short one is read
past its end, zero chroma is bright green. So a length is asserted wherever a buffer is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8]

PACKABLE = frozenset({"yuv420p", "yuvj420p"})
"""Pixel formats whose planes are I420 already; any other is converted first."""


@dataclass(frozen=True, slots=True)
class I420:
    """One picture: Y, U and V planes one after the other without padding."""

    width: int
    height: int
    data: Samples
    """One-dimensional, `i420_length(width, height)` long."""

    def __post_init__(self) -> None:
        if self.data.shape != (i420_length(self.width, self.height),):
            raise ValueError(f"{self.data.shape} bytes are no I420 picture of {self.width}x{self.height}")

    @property
    def planes(self) -> tuple[Samples, Samples, Samples]:
        """Y of (height, width); U and V of half that, rounded up. Views, not copies."""
        luma = self.width * self.height
        rows, columns = chroma_shape(self.width, self.height)
        return (
            self.data[:luma].reshape(self.height, self.width),
            self.data[luma : luma + rows * columns].reshape(rows, columns),
            self.data[luma + rows * columns :].reshape(rows, columns),
        )


def chroma_shape(width: int, height: int) -> tuple[int, int]:
    """Returns (rows, columns) of a chroma plane: half the luma's, rounded up."""
    return (height + 1) // 2, (width + 1) // 2


def i420_length(width: int, height: int) -> int:
    """Returns the bytes of a packed I420 picture."""
    rows, columns = chroma_shape(width, height)
    return width * height + 2 * rows * columns


class I420Packer:
    """Packs decoded frames into one buffer that is used again, so a picture is valid until the next `pack`.

    Args:
        multiple: even, or 1. Width and height are filled up to a multiple of it by repeating the last column and row.
    """

    def __init__(self, multiple: int = 1) -> None:
        self._multiple = multiple
        self._picture: I420 | None = None

    def pack(self, frame: av.VideoFrame) -> I420:
        """Returns the frame without the padding that decoders leave at the end of each line."""
        if frame.format.name not in PACKABLE:
            frame = frame.reformat(format="yuv420p")
        picture = self._picture
        size = filled(frame.width, self._multiple), filled(frame.height, self._multiple)
        if picture is None or (picture.width, picture.height) != size:
            picture = self._picture = I420(*size, np.empty(i420_length(*size), np.uint8))
        shapes = ((frame.height, frame.width), *(chroma_shape(frame.width, frame.height),) * 2)
        for target, plane, (rows, columns) in zip(picture.planes, frame.planes, shapes, strict=True):
            lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            np.copyto(target[:rows, :columns], lines[:rows, :columns])
            target[:rows, columns:] = target[:rows, columns - 1 : columns]
            target[rows:] = target[rows - 1]
        return picture


def frame_from_i420(picture: I420) -> av.VideoFrame:
    """Returns the picture as a frame, odd sizes included, which av's own conversion refuses."""
    frame = av.VideoFrame(picture.width, picture.height, "yuv420p")
    for plane, samples in zip(frame.planes, picture.planes, strict=True):
        rows, columns = samples.shape
        lines = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
        lines[:rows, :columns] = samples
        plane.update(lines.tobytes())
    return frame


def filled(length: int, multiple: int) -> int:
    """Returns the length, filled up to a multiple."""
    return -(-length // multiple) * multiple


def i420_from_rgb(rgb: Samples) -> I420:
    """Returns an RGB picture of (height, width, 3) as limited-range BT.601, the range of WebRTC's codecs."""
    height, width, _ = rgb.shape
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    packed = I420Packer().pack(frame)
    assert (packed.width, packed.height) == (width, height)
    return packed


def rgb_from_i420(picture: I420) -> Samples:
    """Returns the picture as RGB of (height, width, 3), for looking at it."""
    y, u, v = (plane.astype(np.float32) for plane in picture.planes)
    u, v = (np.repeat(np.repeat(c - 128, 2, axis=0), 2, axis=1)[: y.shape[0], : y.shape[1]] for c in (u, v))
    luma = 1.164 * (y - 16)
    channels = (luma + 1.596 * v, luma - 0.813 * v - 0.392 * u, luma + 2.017 * u)
    return np.stack([np.clip(channel, 0, 255) for channel in channels], axis=-1).astype(np.uint8)
