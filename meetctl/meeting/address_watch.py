"""Notices that this machine has lost the address by which people come in, and says so where the host looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from meetctl.reach.addresses import own_addresses

LOOK_S = 5.0
"""A look costs a millisecond; nobody changes a network twice meanwhile."""


async def watch_address(
    address: str,
    warn: Callable[[str], object],
    calm: Callable[[str], object],
    *,
    addresses: Callable[[], list[str]] = lambda: [place.address for place in own_addresses()],
    look_s: float = LOOK_S,
) -> None:
    """Warns while the address is gone; livekit-server holds what it was started with. Ends when cancelled."""
    told: str | None = None
    while True:
        found = addresses()
        if address in found:
            if told is not None:
                calm(told)
            told = None
        elif told is None:
            now = ", ".join(found) or "none"
            told = (
                f"this machine no longer has {address}, by which people come in (it has {now}):"
                " go back to that network, or meetctl down, then up again"
            )
            warn(told)
        await asyncio.sleep(look_s)
