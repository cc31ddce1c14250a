"""Joins a room as a real participant, and waits for what a server takes a moment to know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from livekit import rtc
from pydantic import SecretStr

WAIT_TIMEOUT_S = 5.0
POLL_S = 0.02


@asynccontextmanager
async def joined(url: str, token: SecretStr) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    await room.connect(url, token.get_secret_value())
    try:
        yield room
    finally:
        await room.disconnect()


async def wait_for(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(WAIT_TIMEOUT_S):
            while not await condition():
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"did not happen within {WAIT_TIMEOUT_S:g} s: {what}") from None
