"""Agents played by the test: in the room and believed by the chair, without a program, a model or a voice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import rtc
from meetctl_agents.room.methods import call, serve

from meetctl.protocol import (
    GRANT,
    HEAR,
    PREPARE,
    RELEASE,
    STOP,
    Grant,
    Hear,
    Line,
    Prepare,
    Release,
    StopSpeaking,
    Unsaid,
)
from meetctl.settings import LiveKitCredentials
from testing.agents.staging import CHAIR
from testing.fixtures.livekit import MintToken


class Agent:
    """An agent without a voice: what the chair tells it, and what the test has it answer."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.heard: asyncio.Queue[Line] = asyncio.Queue()
        self.grants: asyncio.Queue[Grant] = asyncio.Queue()
        self.prepared: asyncio.Queue[Line] = asyncio.Queue()
        self.stops: asyncio.Queue[StopSpeaking] = asyncio.Queue()

        def from_chair(caller: str) -> bool:
            return caller == CHAIR

        serve(room, HEAR, Hear, from_chair, lambda hear, _: self.heard.put_nowait(hear.line))
        serve(room, PREPARE, Prepare, from_chair, lambda prepare, _: self.prepared.put_nowait(prepare.line))
        serve(room, GRANT, Grant, from_chair, lambda grant, _: self.grants.put_nowait(grant))
        serve(room, STOP, StopSpeaking, from_chair, lambda stop, _: self.stops.put_nowait(stop))

    async def granted(self) -> Grant:
        return await asyncio.wait_for(self.grants.get(), 10)

    async def hears(self, text: str) -> Line:
        """Waits until it hears that; what it hears before is not kept."""
        async with asyncio.timeout(10):
            while (line := await self.heard.get()).text != text:
                pass
        return line

    async def release(self, grant: Grant, text: str, unsaid: Unsaid | None = None) -> None:
        said = Release(grant_id=grant.grant_id, text=text, started_at=time.time() if text else None, unsaid=unsaid)
        await call(self.room, CHAIR, RELEASE, said)


@asynccontextmanager
async def joined(server: LiveKitCredentials, mint: MintToken, identity: str, role: str) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    await room.connect(server.url, mint(identity, role=role).get_secret_value(), rtc.RoomOptions(auto_subscribe=False))
    try:
        yield room
    finally:
        await room.disconnect()
