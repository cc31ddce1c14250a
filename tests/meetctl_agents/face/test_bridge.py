"""The bridge, seen from the room: a face that is a face, a voice that stays, a session that is always closed."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from meetctl_agents.face.media.frames import rgb_from_i420
from meetctl_agents.face.media.placeholder import draw_placeholder

from meetctl.protocol import Degraded, IceState, LegStats, Warn
from meetctl.settings import LiveKitCredentials
from testing.face.stage import KEY, NAME, Simli, Stage, simli, staged
from testing.face.viewing import Seen, Viewer, speech, viewing
from testing.fixtures.livekit import MintToken

PLACEHOLDER = rgb_from_i420(draw_placeholder(NAME, 512, 512))[::2, ::2]


def is_placeholder(seen: Seen) -> bool:
    return seen.rgb.shape == PLACEHOLDER.shape and bool(np.abs(seen.rgb.astype(np.int16) - PLACEHOLDER).mean() < 6)


def is_face(seen: Seen) -> bool:
    return seen.spread > 10 and not is_placeholder(seen)


def shows_face(viewer: Viewer) -> bool:
    return bool(viewer.pictures) and is_face(viewer.pictures[-1])


@pytest.fixture(scope="module")
def server() -> Iterator[Simli]:
    with simli() as running:
        yield running


@pytest.fixture
async def viewer(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Viewer]:
    async with viewing(livekit_server.url, mint_token("bob").get_secret_value()) as viewer:
        yield viewer


@pytest.fixture
async def stage(
    viewer: Viewer, server: Simli, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> AsyncIterator[Stage]:
    await server.set_faults()
    token = mint_token("ada", role="agent").get_secret_value()
    async with staged(livekit_server.url, token, server.url) as stage:
        yield stage


async def test_the_face_is_in_the_room_at_full_size_from_its_first_frame(viewer: Viewer, stage: Stage) -> None:
    await viewer.wait(shows_face)
    began = time.monotonic()
    await viewer.wait(lambda viewer: len(viewer.since(began)) > 75)
    assert {(seen.width, seen.height) for seen in viewer.pictures} == {(512, 512)}
    assert viewer.videos == 1
    assert all(is_face(seen) for seen in viewer.since(began))
    last = viewer.pictures[-1].at
    assert viewer.fps(began, last) > 20  # 25 on an idle machine; `make bench` has the figure


async def test_no_picture_is_ever_green_or_flat_and_the_placeholder_comes_first(viewer: Viewer, stage: Stage) -> None:
    await viewer.wait(shows_face)
    first_face = next(index for index, seen in enumerate(viewer.pictures) if is_face(seen))
    assert all(is_placeholder(seen) for seen in viewer.pictures[:first_face])
    assert not any(seen.is_green or seen.spread < 5 for seen in viewer.pictures)


async def test_both_legs_are_measured(viewer: Viewer, stage: Stage) -> None:
    def measured(leg: str) -> list[LegStats]:
        return [stats for stats in stage.of(LegStats) if stats.leg == leg and (stats.video_fps or 0) > 20]

    await viewer.wait(lambda _: bool(measured("room") and measured("simli")))
    for leg in ("room", "simli"):
        stats = measured(leg)[0]
        assert stats.ice in (IceState.CONNECTED, IceState.COMPLETED)
        assert (stats.width, stats.height) == (512, 512)
        assert 0 < (stats.audio_fps or 0) < 150  # fifty, or a few in silence; what waited during a stall comes at once
        assert (stats.kbps or 0) > 50


async def test_the_room_hears_what_the_face_says_while_its_mouth_moves(viewer: Viewer, stage: Stage) -> None:
    await viewer.wait(shows_face)
    await stage.speak(speech(2.0))
    await stage.wait_finished(1)
    heard = viewer.loud_since(stage.started[0])
    assert len(heard) > 140  # of 200 windows of 10 ms
    assert stage.finished[0][1:] == (2.0, False)
    spoken = [seen.rgb for seen in viewer.pictures if stage.started[0] < seen.at < stage.finished[0][0]]
    quiet = [seen.rgb for seen in viewer.pictures if seen.at < stage.started[0] and is_face(seen)]
    assert motion(spoken) > 1.5 * motion(quiet)


def motion(pictures: list[np.ndarray]) -> float:
    """How much changes over time where the local face has its mouth."""
    mouths = np.stack([picture[142:166, 112:144].astype(np.float32) for picture in pictures])
    return float(mouths.std(axis=0).mean())


async def test_an_interrupted_face_falls_silent_and_says_so_once(viewer: Viewer, stage: Stage) -> None:
    await viewer.wait(shows_face)
    await stage.speak(speech(5.0))
    await viewer.wait(lambda viewer: bool(stage.started) and time.monotonic() - stage.started[0] > 1)
    cleared = time.monotonic()
    stage.bridge.output.clear_buffer()
    ((_, position, interrupted),) = stage.finished
    assert interrupted and 0.5 < position < 2.5
    await viewer.wait(lambda viewer: bool(viewer.sounds) and viewer.sounds[-1].at > cleared + 1.5)
    assert viewer.loud_since(cleared)[-1].at - cleared < 0.5  # 0.1 s on an idle machine
    assert len(stage.finished) == 1


async def test_every_segment_ends_exactly_once_and_the_next_one_is_heard_whole(viewer: Viewer, stage: Stage) -> None:
    await viewer.wait(shows_face)
    await stage.speak(speech(3.0), flush=False)
    await viewer.wait(lambda _: len(stage.started) == 1)
    stage.bridge.output.clear_buffer()
    await stage.speak(speech(1.0))  # the rest of the cleared segment: nobody hears it
    await stage.speak(speech(1.0))
    await stage.wait_finished(2)
    await stage.speak(speech(0.5))
    await stage.wait_finished(3)
    assert [interrupted for _, _, interrupted in stage.finished] == [True, False, False]
    assert [position for _, position, _ in stage.finished[1:]] == [1.0, 0.5]
    assert len(stage.started) == 3
    second = [heard for heard in viewer.loud_since(stage.started[1]) if heard.at < stage.finished[1][0] + 0.3]
    assert len(second) > 60  # of 100


async def test_a_server_that_freezes_costs_the_picture_and_not_the_voice(
    viewer: Viewer, stage: Stage, server: Simli
) -> None:
    await viewer.wait(shows_face)
    await stage.speak(speech(5.0))
    await viewer.wait(lambda _: bool(stage.started) and time.monotonic() - stage.started[0] > 1)
    server.process.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    try:
        assert "no sound came" in await stage.wait_degraded()
        await viewer.wait(lambda viewer: is_placeholder(viewer.pictures[-1]))
        assert viewer.pictures[-1].at - frozen < 5
        await stage.wait_finished(1)
        assert stage.finished[0][1:] == (5.0, False)
        assert len(viewer.loud_since(frozen + 1.5)) > 150  # the rest of the sentence, straight into the room
    finally:
        server.process.send_signal(signal.SIGCONT)
    await stage.wait_restored()
    await viewer.wait(shows_face)
    assert not any(seen.is_green for seen in viewer.pictures)


async def test_a_dropped_session_is_replaced_by_a_new_one(
    viewer: Viewer, server: Simli, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    await server.set_faults(drop_after_s=2, times=1)
    token = mint_token("ada", role="agent").get_secret_value()
    async with staged(livekit_server.url, token, server.url) as stage:
        await viewer.wait(shows_face)
        await stage.wait_degraded()
        await stage.wait_restored()
        await viewer.wait(shows_face)
    await server.wait_closed()


async def test_speech_without_a_face_goes_straight_into_the_room(
    viewer: Viewer, server: Simli, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    await server.set_faults(token_status=402)
    token = mint_token("ada", role="agent").get_secret_value()
    async with staged(livekit_server.url, token, server.url) as stage:
        reason = await stage.wait_degraded()
        assert "402" in reason and KEY not in reason
        assert [warning.hint for warning in stage.of(Warn)] != [None]
        await viewer.wait(lambda viewer: len(viewer.pictures) > 5 and len(viewer.sounds) > 5)
        await stage.speak(speech(1.5))
        await stage.wait_finished(1)
        assert stage.finished[0][1:] == (1.5, False)
        assert len(viewer.loud_since(stage.started[0])) > 100
        assert all(is_placeholder(seen) for seen in viewer.pictures)
        stage.bridge.output.clear_buffer()  # nothing is being said
        await stage.speak(speech(3.0))
        await viewer.wait(lambda _: len(stage.started) == 2 and time.monotonic() - stage.started[1] > 0.5)
        stage.bridge.output.clear_buffer()
        assert stage.finished[1][2]
        assert stage.of(Degraded) == [Degraded(reason=reason)]


async def test_the_session_is_closed_when_the_bridge_ends(
    viewer: Viewer, server: Simli, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    await server.set_faults()
    await server.wait_closed()
    token = mint_token("ada", role="agent").get_secret_value()
    async with staged(livekit_server.url, token, server.url) as stage:
        await viewer.wait(shows_face)
        assert await server.open_sessions() == 1
        await stage.speak(speech(5.0))
    await server.wait_closed()
    assert sum(stage.seconds) > 0


async def test_the_session_is_closed_when_the_agent_is_cancelled_while_it_opens(
    server: Simli, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    await server.set_faults(never_start=True)
    token = mint_token("ada", role="agent").get_secret_value()

    async def attend() -> None:
        async with staged(livekit_server.url, token, server.url):
            await asyncio.Event().wait()

    attending = asyncio.create_task(attend())
    async with asyncio.timeout(10):
        while not await server.open_sessions():
            await asyncio.sleep(0.05)
    attending.cancel()
    await asyncio.wait({attending}, timeout=5)
    assert attending.cancelled()
    await server.wait_closed()
