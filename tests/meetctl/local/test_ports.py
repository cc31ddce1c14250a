from __future__ import annotations

import socket

from meetctl.local.ports import free_ports, free_tcp_port


def test_ports_are_different_and_can_be_bound() -> None:
    tcp, udp = free_ports(tcp=20, udp=3)
    assert (len(set(tcp)), len(set(udp))) == (20, 3)
    for kind, ports in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
        for port in ports:
            with socket.socket(socket.AF_INET, kind) as bound:
                bound.bind(("127.0.0.1", port))


def test_one_port_is_picked() -> None:
    assert 1024 <= free_tcp_port() <= 65535
