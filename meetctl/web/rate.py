"""How often something may be done: at once as often as a burst, then at a steady pace. No clock of its own."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

ADDRESSES = 1000
"""That are remembered; of more, the ones that were quiet for longest begin anew."""


@dataclass(slots=True)
class Bucket:
    """Holds what may still be done at once; it fills again at a steady pace."""

    burst: float
    per_s: float
    _left: float = field(init=False)
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._left = self.burst

    def wait_s(self, now: float) -> float:
        """Returns for how long it must not be done yet, 0 = it may be done; takes nothing. `now`: monotonic seconds."""
        if self._at is not None:
            self._left = min(self.burst, self._left + (now - self._at) * self.per_s)
        self._at = now
        return max(0.0, (1 - self._left) / self.per_s)

    def take(self) -> None:
        """Notes that it was done."""
        self._left -= 1


class Buckets:
    """One bucket for each address; of IPv6 for each network of 64 bits, which whoever has one address has whole."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._of: OrderedDict[str, Bucket] = OrderedDict()

    def __getitem__(self, address: str) -> Bucket:
        place = neighbourhood(address)
        bucket = self._of.setdefault(place, Bucket(self._burst, self._per_s))
        self._of.move_to_end(place)
        while len(self._of) > ADDRESSES:
            self._of.popitem(last=False)
        return bucket


def neighbourhood(address: str) -> str:
    """Returns what one household has of addresses: an IPv4 one, the first half of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found.packed[:8] + bytes(8), 64)))
