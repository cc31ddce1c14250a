"""Finds the addresses of this machine that are not loopback."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import psutil

_ELSEWHERE = ("198.51.100.1", 9)
"""An address of documentation. Connecting a UDP socket sends nothing; it only chooses the address to send from."""


def outer_address(port: int) -> str | None:
    """Returns the IPv4 address that this machine speaks to others from, or else any that is up.

    Only one on which a UDP socket can be bound to this port counts; None = there is none.
    """
    first = default_route_address()
    others = [address for _, address in interface_addresses(socket.AF_INET)]
    return first_outer([*([first] if first else []), *others], port)


def first_outer(addresses: Iterable[str], port: int) -> str | None:
    """Returns the first of these that others could reach and that this UDP port can be bound on."""
    return next((address for address in addresses if _is_outer(address) and _can_bind(address, port)), None)


def default_route_address() -> str | None:
    """Returns the IPv4 address that this machine speaks to far ones from, None where it has no way to them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


def interface_addresses(*families: socket.AddressFamily) -> list[tuple[str, str]]:
    """Returns every address of these families that others could reach, after the name of its interface, which is up."""
    up = {name for name, interface in psutil.net_if_stats().items() if interface.isup}
    return [
        (name, address.address)
        for name, addresses in sorted(psutil.net_if_addrs().items())
        for address in addresses
        if name in up and address.family in families and _is_outer(address.address)
    ]


def _is_outer(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    # livekit-server leaves link-local addresses out.
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _can_bind(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
