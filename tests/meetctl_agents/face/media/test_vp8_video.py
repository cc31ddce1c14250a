"""The picture encoded here: exact at every size, a key frame whenever somebody needs one, a rate the network bears."""

from __future__ import annotations

import asyncio

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from livekit import rtc
from meetctl_agents.face.media.adaptive_video import FittingVideo, keeps_every_pixel
from meetctl_agents.face.media.frames import I420, frame_from_i420, rgb_from_i420
from meetctl_agents.face.media.placeholder import draw_placeholder
from meetctl_agents.face.media.room_video import MAX_BITRATE
from meetctl_agents.face.media.vp8_video import MIN_BITRATE, EncodedVideo, Vp8Encoder, fitting_bitrate

from meetctl.settings import LiveKitCredentials
from testing.face.pattern import draw, psnr, read
from testing.face.viewing import Seen, viewing
from testing.fixtures.livekit import MintToken

WIDTH, HEIGHT = 65, 67
NUMBERS = range(10)
FRAME_US = 40_000


def picture(number: int, width: int, height: int) -> av.VideoFrame:
    return frame_from_i420(draw(number, width, height))


def is_key(data: bytes) -> bool:
    return bool(data) and not data[0] & 1


@pytest.mark.parametrize(("width", "height"), [(65, 67), (64, 65), (501, 333), (66, 98), (1279, 721)])
def test_every_picture_comes_out_at_its_size_and_true(width: int, height: int) -> None:
    encoder, decoder = Vp8Encoder(), av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    for number in NUMBERS:
        data = encoder.encode(picture(number, width, height), number * FRAME_US, key=False)
        assert is_key(data) == (number == 0)
        (seen,) = decoder.decode(av.Packet(data))
        assert (seen.width, seen.height) == (width, height)
        plane = seen.planes[0]
        luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
        assert read(luma, width, height) == number
        assert psnr(luma, number, width, height) >= 35


def test_key_frames_come_when_asked_for_and_where_size_or_rate_change_and_nowhere_else() -> None:
    encoder = Vp8Encoder()
    small = [encoder.encode(picture(number, 65, 67), number * FRAME_US, key=number == 3) for number in range(5)]
    large = [encoder.encode(picture(number, 67, 65), number * FRAME_US, key=False) for number in (5, 6)]
    encoder.bitrate //= 2
    lower = [encoder.encode(picture(number, 67, 65), number * FRAME_US, key=False) for number in (7, 8)]
    assert [is_key(data) for data in small] == [True, False, False, True, False]
    assert [is_key(data) for data in large + lower] == [True, False, True, False]


def test_a_key_frame_of_the_face_is_none_in_the_room_unless_asked_for() -> None:
    encoder = Vp8Encoder()
    encoder.encode(picture(0, 65, 67), 0, key=False)
    frame = picture(1, 65, 67)
    frame.pict_type = PictureType.I
    assert not is_key(encoder.encode(frame, FRAME_US, key=False))


def test_a_network_that_bears_little_gets_fewer_frames() -> None:
    encoder = Vp8Encoder()
    encoder.bitrate = MIN_BITRATE
    frames = [encoder.encode(picture(number, 1279, 721), number * FRAME_US, key=False) for number in range(75)]
    assert is_key(frames[0])
    assert 0 < sum(not data for data in frames) < 75
    seconds = len(frames) * FRAME_US / 1e6
    assert sum(map(len, frames[1:])) * 8 < 3 * MIN_BITRATE * seconds


@pytest.mark.parametrize(
    ("bitrate", "target", "expected"),
    [
        (3_000_000, 3_000_000, 3_000_000),
        (3_000_000, 2_900_000, 3_000_000),
        (3_000_000, 1_000_000, 1_000_000),
        (1_000_000, 1_200_000, 1_000_000),
        (1_000_000, 1_500_000, 1_500_000),
        (1_000_000, 50_000_000, MAX_BITRATE),
        (1_000_000, 0, MIN_BITRATE),
    ],
)
def test_the_rate_follows_the_network_where_that_is_worth_a_key_frame(bitrate: int, target: int, expected: int) -> None:
    assert fitting_bitrate(bitrate, target) == expected


@pytest.mark.parametrize(
    ("width", "height", "kept"), [(512, 512, True), (1280, 720, True), (854, 480, False), (64, 65, False)]
)
def test_only_multiples_of_four_go_the_cheap_way(width: int, height: int, kept: bool) -> None:
    assert keeps_every_pixel(width, height) is kept


def placeholder(width: int, height: int) -> I420:
    return draw_placeholder("Ada", width, height)


async def test_a_newcomer_sees_the_placeholder_at_the_size_of_a_face_that_is_gone(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    room = rtc.Room()
    await room.connect(livekit_server.url, mint_token("ada", role="agent").get_secret_value())
    video = EncodedVideo(placeholder, (WIDTH, HEIGHT))
    await video.publish(room)
    running = asyncio.create_task(video.run())
    still = rgb_from_i420(placeholder(WIDTH, HEIGHT))[::2, ::2].astype(np.int16)

    def is_placeholder(seen: Seen) -> bool:
        return seen.rgb.shape == still.shape and bool(np.abs(seen.rgb - still).mean() < 6)

    try:
        for name in ("bob", "eve"):  # who comes second finds an encoder that has long left its first key frame behind
            async with viewing(livekit_server.url, mint_token(name).get_secret_value()) as viewer:
                await viewer.wait(lambda viewer: len(viewer.pictures) > 2, seconds=5)
                assert all(is_placeholder(seen) for seen in viewer.pictures)
                for number in NUMBERS if name == "bob" else ():
                    video.show(picture(number, WIDTH, HEIGHT))
                video.clear()
    finally:
        running.cancel()
        await asyncio.wait({running})
        await room.disconnect()


async def test_the_first_odd_size_republishes_once_and_the_room_is_never_without_a_track(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    ada, bob = rtc.Room(), rtc.Room()
    tracks: list[int] = []

    def count(*_: object) -> None:
        participant = bob.remote_participants.get("ada")
        tracks.append(len(participant.track_publications) if participant else 0)

    bob.on("track_published", count)
    bob.on("track_unpublished", count)
    await bob.connect(livekit_server.url, mint_token("bob").get_secret_value())
    await ada.connect(livekit_server.url, mint_token("ada", role="agent").get_secret_value())
    video = FittingVideo(placeholder)
    await video.publish(ada)
    running = asyncio.create_task(video.run())
    try:
        async with asyncio.timeout(10):
            for number, size in enumerate([(512, 512), (64, 64), *[(65, 67), (512, 512), (66, 98)] * 25]):
                video.show(picture(number, *size))
                await asyncio.sleep(0.02)  # the pace of a face
            while len(tracks) < 3:
                await asyncio.sleep(0.02)
        assert tracks == [1, 2, 1]
    finally:
        running.cancel()
        await asyncio.wait({running})
        await ada.disconnect()
        await bob.disconnect()
