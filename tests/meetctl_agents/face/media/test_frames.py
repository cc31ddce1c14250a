"""Frames: what LiveKit is handed is exactly as long as it reads, and shows what the decoder gave."""

from __future__ import annotations

import av
import numpy as np
import pytest
from meetctl_agents.face.media.frames import I420, I420Packer, i420_from_rgb, i420_length, rgb_from_i420

SIZES = [(64, 64), (512, 512), (500, 500), (501, 333), (65, 1279), (1280, 720), (720, 720), (1, 1)]


def decoded(width: int, height: int, seed: int = 0) -> tuple[av.VideoFrame, list[np.ndarray]]:
    """A frame as decoders give it (lines padded) and the three planes drawn into it."""
    frame = av.VideoFrame(width, height, "yuv420p")
    random = np.random.default_rng(seed)
    planes = []
    for plane in frame.planes:
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        lines[:] = 255  # the padding: any of it in the result is an error
        drawn = random.integers(1, 250, (plane.height, plane.width), dtype=np.uint8)
        lines[: plane.height, : plane.width] = drawn
        planes.append(drawn)
    return frame, planes


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_any_size_is_packed_without_padding(width: int, height: int) -> None:
    frame, planes = decoded(width, height)
    packed = I420Packer().pack(frame)
    assert packed.data.size == i420_length(width, height)
    for found, drawn in zip(packed.planes, planes, strict=True):
        np.testing.assert_array_equal(found, drawn)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_size_that_is_no_multiple_is_filled_up_with_its_own_edge(width: int, height: int) -> None:
    frame, planes = decoded(width, height)
    packed = I420Packer(multiple=4).pack(frame)
    assert packed.width % 4 == packed.height % 4 == 0
    assert 0 <= packed.width - width < 4 and 0 <= packed.height - height < 4
    for found, drawn in zip(packed.planes, planes, strict=True):
        more = [(0, found.shape[axis] - drawn.shape[axis]) for axis in (0, 1)]
        np.testing.assert_array_equal(found, np.pad(drawn, more, mode="edge"))


def test_the_size_may_change_from_frame_to_frame() -> None:
    packer = I420Packer()
    for seed, (width, height) in enumerate([*SIZES, *reversed(SIZES)]):
        frame, planes = decoded(width, height, seed)
        packed = packer.pack(frame)
        assert (packed.width, packed.height) == (width, height)
        np.testing.assert_array_equal(packed.planes[0], planes[0])


def test_frames_of_one_size_share_one_buffer() -> None:
    packer = I420Packer()
    first = packer.pack(decoded(64, 64, 1)[0])
    assert packer.pack(decoded(64, 64, 2)[0]).data is first.data


def test_a_buffer_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="512x512"):
        I420(512, 512, np.zeros(512 * 512, np.uint8))


@pytest.mark.parametrize("name", ["rgb24", "yuv422p", "nv12", "yuva420p"])
def test_other_pixel_formats_are_converted(name: str) -> None:
    rgb = np.empty((64, 64, 3), np.uint8)
    rgb[:] = (200, 40, 90)
    packed = I420Packer().pack(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=name))
    np.testing.assert_allclose(rgb_from_i420(packed)[32, 32], (200, 40, 90), atol=4)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (24, 27, 38), (0, 135, 0), (220, 30, 10)])
def test_a_colour_survives_the_way_to_i420_and_back(colour: tuple[int, int, int]) -> None:
    rgb = np.empty((33, 65, 3), np.uint8)
    rgb[:] = colour
    np.testing.assert_allclose(rgb_from_i420(i420_from_rgb(rgb)).mean(axis=(0, 1)), colour, atol=4)
