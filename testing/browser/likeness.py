"""How much a received picture is like a drawn face, whatever way its head is turned."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from meetctl_agents.face.media.placeholder import draw_placeholder
from numpy.typing import NDArray

from meetctl.local.simli.face.eyes import eye_box
from meetctl.local.simli.face.pose import Pose
from meetctl.local.simli.face.renderer import mouth_box, renderer_for

SIZE = 512
COARSE = 4
"""Pixels of a side that are averaged: what a codec does to edges shall not count."""
MARGIN = 12
"""Around eyes, which move with the head, pixels."""
POSES = tuple(
    Pose(turn=turn, nod=nod, breath=breath)
    for turn in (-1.0, -0.5, 0.0, 0.5, 1.0)
    for nod in (-1.0, -0.5, 0.0, 0.5, 1.0)
    for breath in (0.0, 0.5, 1.0)
)

Picture = NDArray[np.uint8]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A picture beside the face in the nearest pose, mouth shut and eyes open."""

    correlation: float
    """Of what neither speech nor blinking changes; 1 is the same picture."""
    difference: float
    """Of the same, mean of the absolute, of 255."""
    mouth: float
    """The same around the mouth: how far it is from shut."""


class DrawnFace:
    """The face of one id in every pose it is held in."""

    def __init__(self, face_id: str) -> None:
        renderer = renderer_for(face_id, SIZE)
        self._still = np.ones((SIZE, SIZE), bool)
        x, y, width, height = mouth_box(SIZE)
        self._mouth = np.s_[y : y + height, x : x + width]
        self._still[self._mouth] = False
        for side in (-1, 1):
            x, y, width, height = (round(part) for part in eye_box(renderer.look, side))
            self._still[y - MARGIN : y + height + MARGIN, x - MARGIN : x + width + MARGIN] = False
        drawn = [renderer.render(pose) for pose in POSES]
        self._poses = [(self._coarse(picture), picture[self._mouth].astype(float)) for picture in drawn]

    def likeness(self, picture: Picture) -> Likeness:
        """Compares a picture of the same size, (512, 512, 3) RGB."""
        still, mouth = self._coarse(picture), picture[self._mouth].astype(float)

        def compared(pose: tuple[Values, Values]) -> Likeness:
            return Likeness(
                correlation=float(np.corrcoef(still, pose[0])[0, 1]),
                difference=float(np.abs(still - pose[0]).mean()),
                mouth=float(np.abs(mouth - pose[1]).mean()),
            )

        return max(map(compared, self._poses), key=lambda found: found.correlation)

    def _coarse(self, picture: Picture) -> Values:
        """Returns the still parts in coarse pixels, one colour after another."""
        cells = SIZE // COARSE
        blocks = picture.astype(float).reshape(cells, COARSE, cells, COARSE, 3).mean((1, 3))
        whole = self._still.reshape(cells, COARSE, cells, COARSE).all((1, 3))
        return np.asarray(blocks[whole], float).ravel()


def placeholder_of(name: str) -> Picture:
    """Returns what an avatar shows while no pictures of its face come, (512, 512, 3) RGB."""
    planes = draw_placeholder(name, SIZE, SIZE).data.reshape(SIZE * 3 // 2, SIZE)
    return np.asarray(av.VideoFrame.from_ndarray(planes, format="yuv420p").to_ndarray(format="rgb24"), np.uint8)
