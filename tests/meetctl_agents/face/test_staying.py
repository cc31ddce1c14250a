"""The face stays, and costs nothing while nobody looks: renewed before limits, closed in an empty room, accounted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest
from meetctl_agents.face.session.attempts import NOBODY, backoff
from meetctl_agents.face.session.manager import RENEW_S, renewal_at
from meetctl_agents.face.session.presence import HumanPresence

from meetctl.protocol import AvatarSession, Degraded
from meetctl.settings import LiveKitCredentials
from testing.face.measuring import Measured, measuring
from testing.face.stage import Simli, Stage, pattern_simli, staged
from testing.face.viewing import speech
from testing.fixtures.lanes import Lane, starts
from testing.fixtures.livekit import MintToken

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
@starts(Lane.PROCESS)
def server() -> Iterator[Simli]:
    with pattern_simli() as running:
        yield running


@pytest.fixture
async def measured(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Measured]:
    async with measuring(livekit_server.url, mint_token("bob").get_secret_value()) as measured:
        yield measured


@pytest.fixture
def agent(mint_token: MintToken) -> str:
    return mint_token("ada", role="agent").get_secret_value()


def opened(stage: Stage) -> list[AvatarSession]:
    return [session for session in stage.of(AvatarSession) if session.opened]


async def wait_opened(stage: Stage, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(opened(stage)) < count:
            await asyncio.sleep(0.02)


def seen_first(measured: Measured) -> float:
    return measured.numbered()[0].at


def open_now(stage: Stage) -> set[str]:
    """Returns the sessions that were told of as opened, and not yet as closed."""
    state = {session.id: session.opened for session in stage.of(AvatarSession)}
    return {session for session, is_open in state.items() if is_open}


@pytest.mark.parametrize("limits", [{"max_session_s": 6}, {"max_idle_s": 6}])
async def test_a_session_is_renewed_before_its_limit_without_a_gap(
    livekit_server: LiveKitCredentials, measured: Measured, agent: str, server: Simli, limits: dict[str, float]
) -> None:
    async with staged(livekit_server.url, agent, server.url, **limits) as stage:
        await measured.wait_numbered()
        await wait_opened(stage, 3)
        ended = time.time()
        assert open_now(stage) <= {session.id for session in opened(stage)[-2:]}
        assert not stage.of(Degraded)
        seen = measured.numbered()
        gaps = [after.at - before.at for before, after in pairwise(seen) if after.at < ended]
        assert max(gaps) < 2.0  # 0.08 s on idle cores; opening a session after the other's end takes 0.5 s more
        if max(gaps) < 1.0:  # the machine did not stand still
            assert all(seen.number is not None for seen in measured.pictures if seen.at > seen_first(measured))
    await server.wait_closed()
    assert not open_now(stage)


async def test_what_is_being_said_at_the_limit_is_said_to_its_end(
    livekit_server: LiveKitCredentials, measured: Measured, agent: str, server: Simli
) -> None:
    async with staged(livekit_server.url, agent, server.url, max_session_s=6) as stage:
        await measured.wait_numbered()
        await stage.speak(speech(8.0))
        await stage.wait_finished(1)
        assert stage.finished[0][1:] == (8.0, False)
        assert len(opened(stage)) >= 2
        assert not stage.of(Degraded)


async def test_a_session_that_cannot_be_renewed_is_used_to_its_end_and_then_replaced(
    livekit_server: LiveKitCredentials, measured: Measured, agent: str, server: Simli
) -> None:
    await server.set_faults()
    async with staged(livekit_server.url, agent, server.url, max_session_s=5) as stage:
        await measured.wait_numbered()
        await server.set_faults(token_status=503)
        reason = await stage.wait_degraded()
        assert "longest duration" in reason or "503" in reason
        await server.set_faults()
        await stage.wait_restored()


async def test_in_an_empty_room_a_paid_session_is_closed_and_the_first_person_reopens_it(
    livekit_server: LiveKitCredentials, mint_token: MintToken, agent: str, server: Simli
) -> None:
    bob = mint_token("bob").get_secret_value()
    async with staged(livekit_server.url, agent, server.url, idle_close_s=2.0) as stage:
        assert await stage.wait_degraded() == NOBODY
        await server.wait_closed()
        assert not open_now(stage)
        before = len(opened(stage))
        async with measuring(livekit_server.url, mint_token("watcher", role="agent").get_secret_value()) as other:
            await other.wait(lambda other: len(other.pictures) > 5)  # another agent is no company
            assert not other.numbered() and len(opened(stage)) == before
        async with measuring(livekit_server.url, bob) as measured:
            await measured.wait_numbered()
            await stage.wait_restored()
        await stage.wait_degraded()
        await server.wait_closed()
        async with measuring(livekit_server.url, bob) as measured:
            await measured.wait_numbered()


async def test_a_free_face_is_not_closed_in_an_empty_room(
    livekit_server: LiveKitCredentials, agent: str, server: Simli
) -> None:
    async with staged(livekit_server.url, agent, server.url) as stage:
        await wait_opened(stage, 1)
        assert opened(stage)[0].until is not None
        async with asyncio.timeout(PATIENCE_S):
            while not stage.seconds and not await server.open_sessions():
                await asyncio.sleep(0.05)
        assert isinstance(stage.bridge._presence, HumanPresence) and stage.bridge._presence.alone_s > 0
        assert not stage.of(Degraded)


def test_renewal_begins_early_enough_and_not_too_early() -> None:
    assert renewal_at(100, 3700) == 3700 - RENEW_S
    assert renewal_at(100, 110) == pytest.approx(106)


def test_attempts_become_rarer_and_never_stop() -> None:
    delays = [backoff(failures) for failures in range(1, 40)]
    assert delays == sorted(delays)
    assert delays[0] < 1 < delays[-1]
