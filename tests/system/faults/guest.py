"""Somebody in the room of a meeting under attack: writes, speaks, and is there again when the room is a new one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from testing.agents.human import Human

Link = Callable[[str], Awaitable[dict[str, Any]]]
"""Makes a token for a person of that name."""
SEES_S = 30.0
GO_S = 10.0
"""Saying goodbye to a server that is gone takes the library a while."""


class Guest:
    """A person with a microphone; comes when first needed."""

    def __init__(self, name: str, link: Link) -> None:
        self.name = name
        self._link = link
        self._stack = AsyncExitStack()
        self._human: Human | None = None
        self._server: int | None = None

    async def human(self, server: int | None, *others: str) -> Human:
        """Returns the person in the room, who sees these others there.

        Args:
            server: the LiveKit server's process: with another one the room is another too, and everybody comes anew.
        """
        if self._human is None or not self._human.room.isconnected() or server != self._server:
            await self.go()
            self._server = server
            link = await self._link(self.name)
            self._human = await self._stack.enter_async_context(Human(link["livekit_url"], link["token"]))
        room = self._human.room
        async with asyncio.timeout(SEES_S):
            while not set(others) <= set(room.remote_participants):
                await asyncio.sleep(0.05)
        return self._human

    async def go(self) -> None:
        self._human = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GO_S):
                await self._stack.aclose()
        self._stack = AsyncExitStack()
