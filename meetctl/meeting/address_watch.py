"""Notices that this machine has lost the address by which people come in, and says so where the host looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from meetctl.reach.addresses import own_addresses

LOOK_S = 5.0
"""A look costs a millisecond; nobody changes a network twice meanwhile."""
AGAIN = 12
"""Looks until it is said again: a warning that is not repeated is over after two minutes."""


def _own() -> list[str]:
    return [place.address for place in own_addresses()]


async def watch_address(
    address: str,
    warn: Callable[[str], object],
    calm: Callable[[str], object],
    *,
    addresses: Callable[[], list[str]] = _own,
    look_s: float = LOOK_S,
) -> None:
    """Warns while the address is gone; livekit-server holds what it was started with. Ends when cancelled."""
    words, looks = "", 0
    while True:
        found = addresses()
        if address in found:
            if words:
                calm(words)
            words, looks = "", 0
        else:
            words = words or _words(address, found)
            if looks % AGAIN == 0:
                warn(words)
            looks += 1
        await asyncio.sleep(look_s)


def _words(address: str, found: list[str]) -> str:
    now = ", ".join(found) or "none"
    return (
        f"this machine no longer has {address}, by which people come in (it has {now}): go back to that network, or"
        " meetctl down, then up again"
    )
