from __future__ import annotations

import socket

import psutil

from meetctl.local.addresses import first_outer, outer_address
from meetctl.local.ports import free_ports


def test_the_address_found_is_this_machines_own_and_not_loopback() -> None:
    own = {address.address for addresses in psutil.net_if_addrs().values() for address in addresses}
    (_, (port,)) = free_ports(udp=1)
    found = outer_address(port)
    assert found is None or (found in own and not found.startswith("127."))


def test_loopback_link_local_and_what_cannot_be_bound_are_passed_over() -> None:
    (_, (port,)) = free_ports(udp=1)
    assert first_outer(["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.1.1", "203.0.113.7"], port) is None


def test_an_address_whose_port_is_taken_is_passed_over() -> None:
    (_, (port,)) = free_ports(udp=1)
    found = outer_address(port)
    if found is None:
        return  # without a network there is no address to take a port on
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((found, port))
        assert first_outer([found], port) is None
