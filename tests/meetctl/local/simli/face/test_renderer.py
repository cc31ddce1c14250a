"""The face: always the same for an id, different for another, moving only where it should."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from meetctl.local.simli.face.motion import Motion
from meetctl.local.simli.face.pose import AH, BLINK, EE, IDLE, OO, SS, Mouth, Pose
from meetctl.local.simli.face.renderer import FaceRenderer, mouth_box, reference_frame

FACES = ("ada", "max", "bea", "leo", "5514e24d-6086-46a3-ace4-6a7264e5cb7c")


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def mouth(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    x, y, width, height = mouth_box(picture.shape[0])
    return picture[y : y + height, x : x + width]


def test_a_face_id_always_gives_the_same_face_whatever_its_emotion() -> None:
    assert np.array_equal(FaceRenderer("ada").render(IDLE), FaceRenderer("ada/happy").render(IDLE))


def test_every_two_face_ids_look_different() -> None:
    pictures = [reference_frame(face) for face in FACES]
    assert all(difference(one, other) > 12 for one, other in itertools.combinations(pictures, 2))


@pytest.mark.parametrize("face", FACES)
def test_no_face_is_flat_or_green(face: str) -> None:
    picture = reference_frame(face).reshape(-1, 3)
    assert (picture.std(axis=0) > 20).all()
    assert np.abs(picture.mean(axis=0) - (0, 135, 0)).max() > 40


@pytest.mark.parametrize("size", [64, 256, 512, 768])
def test_the_shapes_of_the_mouth_differ_and_only_there(size: int) -> None:
    renderer = FaceRenderer("ada", size)
    idle, *shapes = (renderer.render(pose) for pose in (IDLE, AH, OO, EE, SS))
    assert idle.shape == (size, size, 3)
    x, y, width, height = mouth_box(size)
    for shape in shapes:
        assert difference(mouth(shape), mouth(idle)) > 2
        outside = shape.copy()
        outside[y : y + height, x : x + width] = idle[y : y + height, x : x + width]
        assert np.array_equal(outside, idle)
    assert all(difference(mouth(one), mouth(other)) > 1 for one, other in itertools.combinations(shapes, 2))


def test_a_wider_open_mouth_is_darker_inside_and_reaches_lower() -> None:
    renderer = FaceRenderer("max")
    dark = [
        int((mouth(renderer.render(Pose(mouth=Mouth(open=share)))).sum(axis=2) < 160).sum()) for share in (0, 0.5, 1)
    ]
    assert dark[0] < dark[1] < dark[2]


def test_a_blink_changes_the_eyes_and_not_the_mouth() -> None:
    renderer = FaceRenderer("bea")
    blinking, idle = renderer.render(BLINK), renderer.render(IDLE)
    assert np.array_equal(mouth(blinking), mouth(idle))
    assert difference(blinking[180:260], idle[180:260]) > 3


def test_an_idle_face_breathes_moves_and_blinks_but_stays_the_face() -> None:
    renderer, motion = FaceRenderer("leo"), Motion("leo")
    poses = [motion.pose(frame / 25, Mouth(), speaking=False) for frame in range(25 * 30)]
    assert max(pose.blink for pose in poses) > 0.8
    assert len({pose.breath > 0.5 for pose in poses}) == 2
    pictures = [renderer.render(pose) for pose in poses[::25]]
    assert len({picture.tobytes() for picture in pictures}) > 20
    assert all(difference(picture, reference_frame("leo")) < 8 for picture in pictures)


def test_motion_is_small_from_one_frame_to_the_next() -> None:
    motion = Motion("ada")
    poses = [motion.pose(frame / 25, Mouth(), speaking=True) for frame in range(1_000)]
    assert all(abs(b.turn - a.turn) < 0.06 and abs(b.nod - a.nod) < 0.06 for a, b in itertools.pairwise(poses))


def test_a_picture_that_may_not_wait_differs_little_from_the_exact_one() -> None:
    pose = Pose(turn=0.33, nod=-0.21, breath=0.4)
    hurried, exact = FaceRenderer("ada").render(pose, wait=False), FaceRenderer("ada").render(pose)
    assert difference(hurried, exact) < 2


def test_the_painted_canvas_is_opaque_and_holds_the_same_picture() -> None:
    canvas = FaceRenderer("ada").paint(AH)
    assert canvas.shape == (512, 512, 4)
    assert (canvas[..., 3] == 255).all()
    assert np.array_equal(canvas[..., :3], FaceRenderer("ada").render(AH))
