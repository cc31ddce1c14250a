"""A participant in a room who hands each track it gets to a task of its own, and ends them all when it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from livekit import rtc

Take = Callable[[rtc.Track], Awaitable[None]]


@asynccontextmanager
async def joined(url: str, token: str, *, watch: Take, listen: Take) -> AsyncIterator[None]:
    """Joins a room; `watch` is given each track of pictures, `listen` each of sound, and cancelled at the end."""
    room = rtc.Room()
    tasks: list[asyncio.Future[None]] = []

    @room.on("track_subscribed")
    def on_track(track: rtc.Track, *_: object) -> None:
        take = watch if track.kind == rtc.TrackKind.KIND_VIDEO else listen
        tasks.append(asyncio.ensure_future(take(track)))

    await room.connect(url, token)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await room.disconnect()
