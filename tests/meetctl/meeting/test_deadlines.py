"""The ends that a roster sets, and the wait for people in a real room."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from pydantic import SecretStr

from meetctl.meeting.deadlines import in_words, wait_until_deserted, wait_until_over
from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

BOUND_S = 60.0


async def test_a_meeting_is_over_when_it_has_lasted_as_long_as_it_may_and_people_are_warned_once() -> None:
    warnings: list[float] = []
    began = time.monotonic()
    async with asyncio.timeout(BOUND_S):
        assert await wait_until_over(lambda: 1.2, began, warnings.append) == 1.2
    assert time.monotonic() - began >= 1.2
    (left,) = warnings
    assert 0 < left <= 0.6


async def test_a_limit_that_comes_later_counts_from_the_beginning() -> None:
    limit: list[float | None] = [None]
    began = time.monotonic() - 100.0
    waiting = asyncio.create_task(wait_until_over(lambda: limit[0], began, lambda left: None))
    await asyncio.sleep(0)
    assert not waiting.done()
    limit[0] = 90.0
    async with asyncio.timeout(BOUND_S):
        assert await waiting == 90.0


async def test_the_time_that_the_machine_sleeps_counts_though_its_monotonic_clock_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept_s, real = [0.0], time.clock_gettime
    going_on = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + (slept_s[0] if clock == going_on else 0.0))
    warned = asyncio.Event()
    waiting = asyncio.create_task(wait_until_over(lambda: 3600.0, time.monotonic(), lambda left: warned.set()))
    async with asyncio.timeout(BOUND_S):
        await asyncio.sleep(0)
        slept_s[0] = 3550.0
        await warned.wait()
        assert not waiting.done()
        slept_s[0] = 7200.0
        assert await waiting == 3600.0


@pytest.mark.parametrize(
    ("seconds", "words"), [(60.0, "one minute"), (59.6, "one minute"), (30.2, "30 seconds"), (0.2, "1 second")]
)
def test_the_time_left_is_said_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


async def test_a_room_is_deserted_when_its_last_person_has_been_gone_for_so_long(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    async with Rooms(livekit_server) as service:
        async with (
            _present(livekit_server, mint_token("bob")),
            _present(livekit_server, mint_token("ada", role="agent")),
        ):
            waiting = asyncio.create_task(wait_until_deserted(service, room_name, lambda: 2))
            done, _ = await asyncio.wait({waiting}, timeout=4)
            assert not done, "Bob is there"
        async with _present(livekit_server, mint_token("ada", role="agent")), asyncio.timeout(BOUND_S):
            assert await waiting == 2, "an agent holds no meeting open"


@asynccontextmanager
async def _present(server: LiveKitCredentials, token: SecretStr) -> AsyncIterator[None]:
    room = rtc.Room()
    await room.connect(server.url, token.get_secret_value())
    try:
        yield
    finally:
        await room.disconnect()
