"""A STUN responder on loopback: browsers' clients refuse to begin without an ICE server. RFC 8489, binding only."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType
from typing import Self, cast

_HOST = "127.0.0.1"
_BINDING_REQUEST, _BINDING_SUCCESS = 0x0001, 0x0101
_COOKIE = 0x2112A442
_XOR_MAPPED_ADDRESS = 0x0020
_IPV4 = 0x01
_HEADER = struct.Struct("!HHI12s")


class StunResponder:
    """Tells whoever asks the address it asked from."""

    def __init__(self) -> None:
        self.url = ""
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(_Protocol, local_addr=(_HOST, 0))
        self.url = f"stun:{_HOST}:{self._transport.get_extra_info('sockname')[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transport is not None:
            self._transport.close()


def binding_response(request: bytes, address: tuple[str, int]) -> bytes | None:
    """Returns the answer to a binding request from an IPv4 address, None for anything else."""
    if len(request) < _HEADER.size:
        return None
    kind, _, cookie, transaction = _HEADER.unpack_from(request)
    if kind != _BINDING_REQUEST or cookie != _COOKIE:
        return None
    host = struct.unpack("!I", socket.inet_aton(address[0]))[0] ^ _COOKIE
    value = struct.pack("!BBHI", 0, _IPV4, address[1] ^ (_COOKIE >> 16), host)
    attribute = struct.pack("!HH", _XOR_MAPPED_ADDRESS, len(value)) + value
    return _HEADER.pack(_BINDING_SUCCESS, len(attribute), _COOKIE, transaction) + attribute


class _Protocol(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = binding_response(data, addr)
        if response is not None:
            self._transport.sendto(response, addr)
