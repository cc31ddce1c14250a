"""A minute of a face at rest moves as often and as far as people are used to, however little of it is drawn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from meetctl.local.simli.face.motion import Motion
from meetctl.local.simli.face.pose import Mouth
from meetctl.local.simli.face.renderer import FaceRenderer

FPS, SECONDS = 25, 60


@pytest.mark.parametrize("face_id", ["ada", "eve", "max"])
def test_two_of_five_pictures_change_eyes_blink_every_four_seconds_and_the_head_moves_four_pixels(face_id: str) -> None:
    face, motion = FaceRenderer(face_id, 512), Motion(face_id)
    poses = [motion.pose(frame / FPS, Mouth(), speaking=False) for frame in range(SECONDS * FPS)]
    placed = [face.placed(pose) for pose in poses]
    following = list(pairwise(placed))
    assert 600 <= sum(one != other for one, other in following) <= 900
    assert 12 <= sum(one.blink < 0.5 <= other.blink for one, other in following) <= 20
    for way in (0, 1):
        assert 16 <= max(one.head[way] for one in placed) - min(one.head[way] for one in placed) <= 24, "quarters"
    assert len({one.gaze for one in placed}) > 20
    assert max(one.breath for one in placed) == 8
