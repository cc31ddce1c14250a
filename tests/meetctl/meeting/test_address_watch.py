"""A machine that wakes up on another network says so, once, and takes it back at home."""

from __future__ import annotations

import asyncio
import contextlib

from meetctl.meeting.address_watch import watch_address

HOME, CAFE = "192.0.2.7", "198.51.100.7"


async def test_an_address_that_is_gone_is_told_once_and_taken_back_by_its_own_words() -> None:
    networks = iter([[HOME], [CAFE], [CAFE], [], [HOME, CAFE], [HOME]])
    warned: list[str] = []
    calmed: list[str] = []

    def addresses() -> list[str]:
        try:
            return next(networks)
        except StopIteration:
            raise asyncio.CancelledError from None

    with contextlib.suppress(asyncio.CancelledError):
        await watch_address(HOME, warned.append, calmed.append, addresses=addresses, look_s=0)
    (warning,) = warned
    assert f"no longer has {HOME}" in warning and f"it has {CAFE}" in warning and "meetctl down" in warning
    assert calmed == warned
