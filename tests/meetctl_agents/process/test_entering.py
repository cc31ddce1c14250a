from __future__ import annotations

import asyncio

import pytest
from meetctl_agents.process.tasks import entering


class Slow:
    """A context whose entering waits, and that tells what became of it."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.told: list[str] = []

    async def __aenter__(self) -> str:
        self.told.append("entering")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.told.append("broken off")
            raise
        self.told.append("entered")
        return "there"

    async def __aexit__(self, *_: object) -> None:
        self.told.append("left")


async def test_a_context_is_entered_beside_the_block_and_left_with_it() -> None:
    slow = Slow()
    async with entering(slow) as there:
        await asyncio.sleep(0)
        assert slow.told == ["entering"]
        slow.go.set()
        assert await there == "there"
    assert slow.told == ["entering", "entered", "left"]


async def test_a_block_that_fails_breaks_off_what_is_still_being_entered_and_leaves_it() -> None:
    slow = Slow()
    with pytest.raises(ValueError, match="no voice"):
        async with entering(slow):
            await asyncio.sleep(0)
            raise ValueError("no voice")
    assert slow.told == ["entering", "broken off", "left"]


async def test_whoever_waits_for_a_context_that_cannot_be_entered_gets_its_error() -> None:
    class Broken:
        async def __aenter__(self) -> None:
            raise RuntimeError("the room is closed")

        async def __aexit__(self, *_: object) -> None:
            pass

    with pytest.raises(RuntimeError, match="the room is closed"):
        async with entering(Broken()) as there:
            await there
