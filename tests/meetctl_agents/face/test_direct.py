"""An avatar that joins the room itself: seen and heard there, interrupted, replaced, and never needed for the voice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.agents.voice import io
from meetctl_agents.face import direct
from meetctl_agents.face.direct import Direct
from meetctl_agents.face.signaling.base import SAMPLE_RATE
from meetctl_agents.speaking.room_sink import RoomAudioSink
from pydantic import SecretStr

from meetctl.protocol import Assignment, Avatar, AvatarSession, Face, Model
from meetctl.rooms import avatar_token
from meetctl.settings import LiveKitCredentials
from testing.face.stage import KEY, NAME, Simli, Stage, simli
from testing.face.viewing import Viewer, speech, viewing
from testing.fixtures.livekit import MintToken


@pytest.fixture(scope="module")
def server() -> Iterator[Simli]:
    with simli() as running:
        yield running


@pytest.fixture
async def viewer(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Viewer]:
    async with viewing(livekit_server.url, mint_token("bob").get_secret_value()) as viewer:
        yield viewer


@asynccontextmanager
async def attended(
    livekit: LiveKitCredentials, room_name: str, mint_token: MintToken, server: Simli
) -> AsyncIterator[Stage]:
    token = avatar_token(livekit, room=room_name, identity="ada-avatar", name=NAME, agent="ada")
    avatar = Avatar(identity="ada-avatar", token=token, livekit_url=livekit.url)
    face = Face(url=server.url, api_key=SecretStr(KEY), face_id="ada", avatar=avatar)
    own = mint_token("ada", role="agent")
    assignment = Assignment(identity="ada", name=NAME, room=room_name, url=livekit.url, token=own, face=face)
    room = rtc.Room()
    await room.connect(livekit.url, own.get_secret_value(), rtc.RoomOptions(auto_subscribe=False))
    reports: list[Model] = []
    seconds: list[float] = []
    own_voice = RoomAudioSink(room, SAMPLE_RATE)
    joining = Direct(room, assignment, reports.append, seconds.append, own_voice)
    stage = Stage(joining, reports=reports, seconds=seconds)

    def on_started(_: io.PlaybackStartedEvent) -> None:
        stage.started.append(time.monotonic())

    def on_finished(event: io.PlaybackFinishedEvent) -> None:
        stage.finished.append((time.monotonic(), event.playback_position, event.interrupted))

    joining.output.on("playback_started", on_started)
    joining.output.on("playback_finished", on_finished)
    try:
        async with own_voice, joining:
            yield stage
    finally:
        await room.disconnect()


async def test_an_avatar_that_joins_by_itself_is_seen_and_heard_and_falls_silent_when_told(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, viewer: Viewer, server: Simli
) -> None:
    await server.set_faults()
    async with attended(livekit_server, room_name, mint_token, server) as stage:
        await viewer.wait(lambda viewer: any(seen.spread > 10 for seen in viewer.pictures))
        await stage.speak(speech(2.0))
        await stage.wait_finished(1)
        assert stage.finished[0][1] == pytest.approx(2.0, abs=0.1) and not stage.finished[0][2]
        assert len(viewer.loud_since(stage.started[0])) > 120
        await stage.speak(speech(6.0))
        await viewer.wait(lambda viewer: len(viewer.loud_since(stage.finished[0][0] + 0.5)) > 50)
        stage.bridge.output.clear_buffer()
        await stage.wait_finished(2)
        assert stage.finished[1][2] and stage.finished[1][1] < 5
        assert len(stage.finished) == len(stage.started) == 2
        (opened,) = stage.of(AvatarSession)
        assert opened.opened
    await server.wait_closed()
    assert not stage.of(AvatarSession)[-1].opened
    assert sum(stage.seconds) > 0


async def test_an_avatar_that_leaves_costs_its_picture_and_not_the_voice(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, viewer: Viewer, server: Simli
) -> None:
    await server.set_faults(drop_after_s=2, times=1)
    async with attended(livekit_server, room_name, mint_token, server) as stage:
        await stage.speak(speech(6.0))
        assert "has left" in await stage.wait_degraded()
        await stage.wait_finished(1)
        assert stage.finished[0][2]
        await server.set_faults(socket_status=503)
        await stage.speak(speech(1.0))
        await stage.wait_finished(2)
        assert stage.finished[1][1] == pytest.approx(1.0) and not stage.finished[1][2]
        await server.set_faults()
        await stage.wait_restored()


async def test_an_avatar_that_never_shows_does_not_keep_the_agent_waiting(
    livekit_server: LiveKitCredentials,
    room_name: str,
    mint_token: MintToken,
    viewer: Viewer,
    server: Simli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(direct, "JOIN_S", 1.0)
    await server.set_faults(never_video=True)
    async with attended(livekit_server, room_name, mint_token, server) as stage:
        assert "showed nothing" in await stage.wait_degraded()
        await stage.speak(speech(1.0))
        await stage.wait_finished(1)
        assert stage.finished[0][1] == pytest.approx(1.0) and not stage.finished[0][2]
