"""A STUN responder on loopback: browsers' clients refuse to begin without an ICE server. RFC 8489, binding only."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self, cast

from aioice import stun

_HOST = "127.0.0.1"


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
    """Returns the answer to a binding request, None for anything else."""
    try:
        asked = stun.parse_message(request)
    except ValueError:
        return None
    if (asked.message_method, asked.message_class) != (stun.Method.BINDING, stun.Class.REQUEST):
        return None
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, asked.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = address
    return bytes(answer)


class _Protocol(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = binding_response(data, addr)
        if response is not None:
            self._transport.sendto(response, addr)
