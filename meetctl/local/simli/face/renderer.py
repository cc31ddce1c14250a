"""A face in every pose, cheaply: still parts are drawn once, moving parts are small and remembered.

Per frame: copy a finished backdrop, lay the head over it, then eyes and mouth. Positions are kept to a quarter of a
pixel, so that slow motion is smooth, and every such position is drawn from the curves, never resampled.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from meetctl.local.simli.face import eyes, hair, head
from meetctl.local.simli.face import mouth as mouths
from meetctl.local.simli.face.body import body_box, draw_body, draw_ground
from meetctl.local.simli.face.extras import draw_glasses
from meetctl.local.simli.face.look import look_for
from meetctl.local.simli.face.pose import IDLE, Mouth, Pose
from meetctl.local.simli.face.raster import Sheet
from meetctl.local.simli.face.sprite import Canvas, Sprite, canvas_from, sprite_from

UNITS = 512
DEFAULT_SIZE = 512

_PHASES = 4
"""Positions within a pixel, each way."""
_FEATURE_STEP = 2
"""Phases between two positions of eyes and mouth."""
_HEAD_REACH = (4.0, 3.0)
"""How far the head moves to each side, and up and down, units."""
_FEATURE_REACH = (4.5, 3.5)
"""How far eyes and mouth move on the head: that they lead makes the head seem to turn."""
_BREATH_REACH = 2.0
_REMEMBERED = 256
"""Mouths and eyes kept: about 10 MB at 512."""

Picture = NDArray[np.uint8]
Phases = tuple[int, int]
"""Right and down of its place in the drawing, quarters of a pixel."""


class Placement(NamedTuple):
    """What a pose comes to on the grid of what is drawn: where two are equal, so are their pictures."""

    breath: int
    """Quarters of a pixel."""
    head: Phases
    eyes: Phases
    mouth_at: Phases
    blink: float
    brows: float
    gaze: tuple[float, float]
    mouth: Mouth


class FaceRenderer:
    """One face at one size. Threads may share it; what two draw at once is drawn twice."""

    def __init__(self, face_id: str, size: int = DEFAULT_SIZE) -> None:
        self.face_id = face_id
        self.size = size
        self.look = look_for(face_id)
        self._scale = size / UNITS
        self._lock = threading.Lock()
        self._sprites: OrderedDict[tuple[object, ...], Sprite] = OrderedDict()
        self._bare: Canvas | None = None
        self._backdrops: dict[int, Canvas] = {}
        self._bodies: dict[int, Sprite] = {}
        self._heads: dict[tuple[int, int], Sprite] = {}

    def render(self, pose: Pose, *, wait: bool = True) -> Picture:
        """Returns the picture of the face in that pose, (size, size, 3) uint8 RGB."""
        return np.ascontiguousarray(self.paint(pose, wait=wait)[..., :3])

    def paint(self, pose: Pose, *, wait: bool = True) -> Canvas:
        """Returns the same as (size, size, 4) uint8 RGBA, all opaque: the cheaper form.

        Without `wait`, still parts not yet drawn for the exact position are shown at the nearest whole pixel.
        """
        return self.paint_placed(self.placed(pose, wait=wait))

    def placed(self, pose: Pose, *, wait: bool = True) -> Placement:
        """Returns where everything is drawn in that pose; `wait` as for `paint`."""
        per_unit = self._scale * _PHASES
        breath = round(pose.breath * _BREATH_REACH * per_unit)
        if not wait and breath not in self._backdrops:
            breath = 0
        at = round(pose.turn * _HEAD_REACH[0] * per_unit), round(pose.nod * _HEAD_REACH[1] * per_unit) - breath
        eyes_at = (
            _coarse(at[0] + pose.turn * _FEATURE_REACH[0] * per_unit),
            _coarse(at[1] + pose.nod * _FEATURE_REACH[1] * per_unit),
        )
        return Placement(
            breath,
            head=at if wait or (at[0] % _PHASES, at[1] % _PHASES) in self._heads else _whole(at),
            eyes=eyes_at,
            # On a moving mouth nobody sees half a pixel, and each shape is drawn once instead of four times.
            mouth_at=_whole(eyes_at) if pose.mouth != IDLE.mouth else eyes_at,
            blink=round(pose.blink * 8) / 8,
            brows=round(pose.brows * 4) / 4,
            gaze=(round(pose.gaze_x * 10) / 10, round(pose.gaze_y * 6) / 6),
            mouth=Mouth(
                round(pose.mouth.open * 16) / 16,
                round(pose.mouth.wide * 5) / 5,
                round(pose.mouth.round * 5) / 5,
                round(pose.mouth.teeth * 3) / 3,
            ),
        )

    def paint_placed(self, placed: Placement) -> Canvas:
        """Returns a new picture of it, (size, size, 4) uint8 RGBA, all opaque."""
        picture = self._backdrop(placed.breath).copy()
        _lay(self._head, placed.head, picture)
        for side in (-1, 1):
            _lay(partial(self._eye, side, placed), placed.eyes, picture)
        if self.look.glasses:
            _lay(self._glasses, placed.eyes, picture)
        _lay(partial(self._mouth, placed.mouth), placed.mouth_at, picture)
        return picture

    def prepare(self) -> None:
        """Draws what the first frame needs; about 100 ms at 512."""
        self.render(IDLE)

    def prepare_rest(self) -> Iterator[None]:
        """Draws the still parts for every position, one at each step of the iterator; about 500 ms at 512 in all."""
        for step in range(round(_BREATH_REACH * self._scale * _PHASES) + 1):
            yield
            self._backdrop(step)
        for x in range(_PHASES):
            for y in range(_PHASES):
                yield
                self._head(x, y)

    def _backdrop(self, breath: int) -> Canvas:
        if breath not in self._backdrops:
            picture = self._ground().copy()
            self._body(-breath % _PHASES).lay(picture, 0, -breath // _PHASES)
            self._backdrops[breath] = picture
        return self._backdrops[breath]

    def _ground(self) -> Canvas:
        if self._bare is None:
            sheet = self._sheet((0, 0, UNITS, UNITS), 0, 0)
            draw_ground(sheet, self.look)
            self._bare = canvas_from(sheet.pixels[..., :3])
        return self._bare

    def _body(self, y: int) -> Sprite:
        if y not in self._bodies:
            sheet = self._sheet(body_box(self.look), 0, y)
            hair.draw_back_hair(sheet, self.look)
            draw_body(sheet, self.look)
            self._bodies[y] = sprite_from(sheet)
        return self._bodies[y]

    def _head(self, x: int, y: int) -> Sprite:
        if (x, y) not in self._heads:
            sheet = self._sheet(head.BOX, x, y)
            hair.draw_hair_behind_head(sheet, self.look)
            head.draw_head(sheet, self.look)
            hair.draw_front_hair(sheet, self.look, sheet.mask(head.outline(self.look)))
            self._heads[x, y] = sprite_from(sheet)
        return self._heads[x, y]

    def _eye(self, side: int, placed: Placement, x: int, y: int) -> Sprite:
        def draw() -> Sheet:
            sheet = self._sheet(eyes.eye_box(self.look, side), x, y)
            eyes.draw_eye(sheet, self.look, side, placed.blink, placed.gaze, placed.brows)
            return sheet

        return self._remembered(("eye", side, placed.blink, placed.brows, placed.gaze, x, y), draw)

    def _mouth(self, mouth: Mouth, x: int, y: int) -> Sprite:
        def draw() -> Sheet:
            sheet = self._sheet(mouths.BOX, x, y)
            mouths.draw_mouth(sheet, self.look, mouth)
            return sheet

        return self._remembered(("mouth", mouth, x, y), draw)

    def _glasses(self, x: int, y: int) -> Sprite:
        def draw() -> Sheet:
            sheet = self._sheet((146, 180, 220, 80), x, y)
            draw_glasses(sheet, self.look)
            return sheet

        return self._remembered(("glasses", x, y), draw)

    def _sheet(self, box: tuple[float, float, float, float], x: int, y: int) -> Sheet:
        return Sheet(box, self._scale, (x / _PHASES, y / _PHASES))

    def _remembered(self, key: tuple[object, ...], draw: Callable[[], Sheet]) -> Sprite:
        with self._lock:
            found = self._sprites.get(key)
            if found is not None:
                self._sprites.move_to_end(key)
                return found
        drawn = sprite_from(draw())
        with self._lock:
            self._sprites[key] = drawn
            if len(self._sprites) > _REMEMBERED:
                self._sprites.popitem(last=False)
        return drawn


def _lay(sprite: Callable[[int, int], Sprite], at: Phases, picture: Canvas) -> None:
    x, y = at
    sprite(x % _PHASES, y % _PHASES).lay(picture, x // _PHASES, y // _PHASES)


def _whole(at: Phases) -> Phases:
    """Returns the nearest place that is a whole pixel."""
    return round(at[0] / _PHASES) * _PHASES, round(at[1] / _PHASES) * _PHASES


def _coarse(position: float) -> int:
    """Returns the position rounded to half a pixel: eyes and mouths are drawn anew for each, heads are not."""
    return round(position / _FEATURE_STEP) * _FEATURE_STEP


def mouth_box(size: int = DEFAULT_SIZE) -> tuple[int, int, int, int]:
    """Returns x, y, width, height of the region that holds the mouth in every pose, pixels."""
    scale = size / UNITS
    x, y, width, height = mouths.BOX
    reach_x, reach_y = _HEAD_REACH[0] + _FEATURE_REACH[0], _HEAD_REACH[1] + _FEATURE_REACH[1] + _BREATH_REACH
    box = (x - reach_x, y - reach_y, width + 2 * reach_x, height + 2 * reach_y)
    left, top, wide, high = (round(part * scale) for part in box)
    return left, top, wide, high


def reference_frame(face_id: str, size: int = DEFAULT_SIZE) -> Picture:
    """Returns the face at rest, (size, size, 3) uint8 RGB: what a video of this face is compared with."""
    return renderer_for(face_id, size).render(IDLE)


@lru_cache(maxsize=16)
def renderer_for(face_id: str, size: int = DEFAULT_SIZE) -> FaceRenderer:
    """Returns the renderer of a face; sessions with the same face share it."""
    return FaceRenderer(face_id, size)
