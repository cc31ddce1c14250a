"""A face that is as it was is not drawn again, and looks no different for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from aiortc.codecs import h264, vpx
from av.video.frame import PictureType
from numpy.typing import NDArray

from meetctl.local.simli.face.renderer import FaceRenderer
from meetctl.local.simli.media.encoder import DrawnVp8Encoder
from meetctl.local.simli.media.peer import PictureTrack
from meetctl.local.simli.media.pictures import Pictures
from meetctl.local.simli.sessions.session import SimliSession
from meetctl.local.simli.sessions.tokens import SessionRequest

SIZE, FPS, SECONDS = 64, 25, 20


@pytest.fixture
def painters() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def session() -> SimliSession:
    face = FaceRenderer("ada", SIZE)
    face.prepare()
    for _ in face.prepare_rest():
        pass
    return SimliSession(SessionRequest(face_id="ada"), face, FPS)


async def test_at_rest_every_frame_is_the_picture_of_its_time_and_many_are_not_drawn(
    painters: ThreadPoolExecutor,
) -> None:
    shown, drawn = session(), session()
    made: list[NDArray[np.uint8]] = []

    def framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        made.append(picture)
        return picture

    pictures = Pictures(painters, framed)
    changes, before = 0, None
    for frame in range(SECONDS * FPS):
        picture = await pictures.at(shown, frame / FPS)
        assert np.array_equal(picture, drawn.face.paint(drawn.pose_at(frame / FPS)))
        changes += before is None or not np.array_equal(picture, before)
        before = picture
    assert changes <= len(made) < 0.8 * SECONDS * FPS
    assert changes > SECONDS, "it moves all the same"


@pytest.mark.parametrize("codec", [vpx.Vp8Encoder, DrawnVp8Encoder, h264.H264Encoder])
async def test_a_frame_that_is_shown_again_is_no_whole_picture_because_the_one_before_was(
    painters: ThreadPoolExecutor, codec: type[vpx.Vp8Encoder | h264.H264Encoder]
) -> None:
    playing = asyncio.get_running_loop().create_future()
    playing.set_result(session())
    track, encoder = PictureTrack(playing, painters), codec()
    frames = []
    for number in range(10):
        frame = await track.recv()
        assert frame.pict_type == PictureType.NONE
        encoder.encode(frame, force_keyframe=number % 2 == 0)
        frames.append(frame)
    assert len({id(frame) for frame in frames}) < len(frames)
