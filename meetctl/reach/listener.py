"""One TLS port for the page, signaling and TURN, told apart by the first byte that was decrypted."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

from meetctl.supervisor.tasks import Tasks

FIRST_BYTE_S = 15.0
"""Runs out for who connects and says nothing; a browser that connects ahead of need may do that, and does it again."""
HANDSHAKE_S = 10.0
"""A browser on a slow line takes two."""
STUN_TURN = range(4)
"""First bytes of what TURN's clients send; every request of HTTP begins with a letter."""

MakeProtocol = Callable[[], asyncio.BaseProtocol]


class TlsListener:
    """Accepts on the socket while entered.

    Args:
        listening: bound already; closed on the way out.
        http: makes the protocol of one connection of HTTP.
        turn: where TURN without TLS answers, host and port; None = there is none.
        failed: told what nobody foresaw.
    """

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        http: MakeProtocol,
        turn: tuple[str, int] | None,
        failed: Callable[[str, BaseException], object] = lambda name, error: None,
    ) -> None:
        self._listening = listening
        self._context = context
        self._http = http
        self._turn = turn
        self._tasks = Tasks(failed)
        self._relays: set[_Relay] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=self._listening,
            ssl=self._context,
            ssl_handshake_timeout=HANDSHAKE_S,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await self._tasks.cancel()
        for relay in list(self._relays):
            relay.abort()

    def _protocol(self) -> asyncio.Protocol:
        return _Split(self._http, self._relay)

    def _relay(self, visitor: asyncio.Transport, first: bytes) -> None:
        if self._turn is None:
            visitor.close()
            return
        relay = _Relay(visitor, first, self._relays)
        self._tasks.own(relay.connect(*self._turn, source=self._listening.getsockname()[0]), "connect to TURN")


class _Split(asyncio.Protocol):
    """Waits for the first byte and makes way for who understands it."""

    def __init__(self, http: MakeProtocol, relay: Callable[[asyncio.Transport, bytes], None]) -> None:
        self._http = http
        self._relay = relay
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._patience = asyncio.get_running_loop().call_later(FIRST_BYTE_S, transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self._hurry_no_more()

    def data_received(self, data: bytes) -> None:
        self._hurry_no_more()
        assert self._transport is not None
        if data[0] in STUN_TURN:
            self._relay(self._transport, data)
            return
        protocol = cast(asyncio.Protocol, self._http())
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _hurry_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()


class _Relay(asyncio.Protocol):
    """A visitor's side of one TURN connection; what comes before the other side is there waits."""

    def __init__(self, visitor: asyncio.Transport, first: bytes, relays: set[_Relay]) -> None:
        self._visitor = visitor
        self._waiting = bytearray(first)
        self._relays = relays
        self._relays.add(self)
        self._server: asyncio.Transport | None = None
        visitor.pause_reading()
        visitor.set_protocol(self)

    async def connect(self, host: str, port: int, *, source: str) -> None:
        """Connects to the TURN server, from this address of ours, and hands over what waits."""
        try:
            # TURN tells a visitor where they come from, and Firefox takes a loopback address there for a fault.
            server, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Copy(self._visitor), host, port, local_addr=(source, 0)
            )
        except OSError:
            self._visitor.close()
            return
        if self._visitor.is_closing():
            server.close()
            return
        self._server = server
        server.write(bytes(self._waiting))
        self._visitor.resume_reading()

    def abort(self) -> None:
        """Ends both sides at once."""
        self._visitor.abort()
        if self._server is not None:
            self._server.abort()

    def data_received(self, data: bytes) -> None:
        if self._server is None:
            self._waiting += data
        else:
            self._server.write(data)

    def pause_writing(self) -> None:
        if self._server is not None:
            self._server.pause_reading()

    def resume_writing(self) -> None:
        if self._server is not None and not self._server.is_closing():
            self._server.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._relays.discard(self)
        if self._server is not None:
            self._server.close()


class _Copy(asyncio.Protocol):
    """The TURN server's side."""

    def __init__(self, visitor: asyncio.Transport) -> None:
        self._visitor = visitor

    def data_received(self, data: bytes) -> None:
        self._visitor.write(data)

    def pause_writing(self) -> None:
        self._visitor.pause_reading()

    def resume_writing(self) -> None:
        if not self._visitor.is_closing():
            self._visitor.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._visitor.close()
