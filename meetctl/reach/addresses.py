"""At which address of this machine others reach it. Looks at interfaces and names; opens nothing."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from meetctl.errors import UsageError
from meetctl.local.addresses import default_route_address, interface_addresses

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class OuterAddress:
    """One address of this machine, and how it stands in a link."""

    name: str
    """A host name, or the address itself."""
    address: str
    interface: str = ""

    @property
    def host(self) -> str:
        """The name as it stands in an address of the web."""
        return f"[{self.name}]" if ":" in self.name else self.name

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.address


def own_addresses() -> list[OuterAddress]:
    """Returns every address that others could reach, the default route's first."""
    found = [
        OuterAddress(address, address, name) for name, address in interface_addresses(socket.AF_INET, socket.AF_INET6)
    ]
    first = default_route_address()
    return sorted(found, key=lambda place: (place.address != first, place.is_ipv6))


def is_loopback_host(host: str) -> bool:
    """Returns whether the host is this machine by the way that nobody else can take."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_address(host: str, places: Sequence[OuterAddress]) -> OuterAddress:
    """Returns where `auto`, an address or a name leads.

    Raises:
        UsageError: if that is not this machine, naming the addresses that it has.
    """
    if not places:
        raise UsageError("this machine has no address that others could reach", hint="connect it to a network")
    if host == AUTO:
        return places[0]
    by_address = {place.address: place for place in places}
    asked = _addresses_of(host)
    mine = next((by_address[address] for address in asked if address in by_address), None)
    if mine is not None:
        return OuterAddress(host.lower(), mine.address, mine.interface)
    led = f" (it leads to {', '.join(asked)})" if asked and asked != [host] else "" if asked else " (nobody knows it)"
    shown = ", ".join(f"{place.address} ({place.interface})" for place in places)
    raise UsageError(f"{host}{led} is no address of this machine; it has {shown}", hint="--host auto")


def _addresses_of(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
