"""The avatar program, as the supervisor runs it: a child process between real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from meetctl.protocol import Degraded, Face, Failed, IceState, LegStats, Ready, Stop
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.staging import assignment
from testing.face.stage import KEY, Simli, simli
from testing.fixtures.livekit import MintToken

MODULE = "meetctl_agents.simli"


@pytest.fixture(scope="module")
def server() -> Iterator[Simli]:
    with simli() as running:
        yield running


async def test_the_program_is_ready_shows_its_face_and_leaves_nothing_behind_when_told_to_stop(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, server: Simli
) -> None:
    face = Face(url=server.url, api_key=SecretStr(KEY), face_id="ada")
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", chair=None)
    async with Child(MODULE, given.model_copy(update={"face": face})) as child:
        await child.wait_said(Ready)
        stats = await child.wait_said(LegStats, lambda stats: stats.leg == "simli" and (stats.video_fps or 0) > 15)
        assert stats.ice is IceState.COMPLETED
        await child.wait_said(LegStats, lambda stats: stats.leg == "room" and (stats.video_fps or 0) > 15)
        assert await server.open_sessions() == 1
        child.send(Stop())
        assert await child.wait_exit() == 0
        assert not child.bad_lines
        assert not child.said(Degraded)
        assert KEY.encode() not in child.errors
    await server.wait_closed()


async def test_a_session_is_closed_when_the_supervisor_vanishes(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, server: Simli
) -> None:
    face = Face(url=server.url, api_key=SecretStr(KEY), face_id="ada")
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", chair=None)
    async with Child(MODULE, given.model_copy(update={"face": face})) as child:
        await child.wait_said(LegStats, lambda stats: stats.leg == "simli" and stats.ice is IceState.COMPLETED)
        child.close_stdin()
        assert await child.wait_exit() == 0
    await server.wait_closed()


async def test_an_avatar_without_a_face_says_what_to_do(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", chair=None)
    async with Child(MODULE, given) as child:
        failed = await child.wait_said(Failed)
        assert failed.code == "no_face" and failed.permanent
        assert failed.hint is not None and "agent: audio" in failed.hint
        assert await child.wait_exit() == 1
