"""Picks free ports on loopback for the stand-ins. It only picks: whoever binds one must bear finding it taken."""

from __future__ import annotations

import socket
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"


def free_ports(*, tcp: int = 0, udp: int = 0) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns that many free TCP ports and that many free UDP ports, all different.

    All are held open until the last is picked: asked one by one, the kernel may give the same port twice.
    """
    with ExitStack() as held:

        def pick(kind: socket.SocketKind) -> int:
            listener = held.enter_context(socket.socket(socket.AF_INET, kind))
            listener.bind((LOOPBACK, 0))
            port: int = listener.getsockname()[1]
            return port

        return (
            tuple(pick(socket.SOCK_STREAM) for _ in range(tcp)),
            tuple(pick(socket.SOCK_DGRAM) for _ in range(udp)),
        )


def free_tcp_port() -> int:
    """Returns one free TCP port."""
    return free_ports(tcp=1)[0][0]
