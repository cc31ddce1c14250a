"""The door to other machines: what is asked for is there before anything starts, or the reason is said."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from aioice import stun

from meetctl.errors import ConflictError, SettingsError, UsageError
from meetctl.local.ports import LOOPBACK, free_tcp_port
from meetctl.reach import node_address, opening
from meetctl.reach.opening import Reach, open_reach, opened_reach
from meetctl.reach.words import AUTHORITY_PATH, notes_of
from meetctl.roster import ReachChoice
from tests.meetctl.reach.conftest import HERE, open_door_here


@pytest.mark.parametrize("choice", [None, ReachChoice(), ReachChoice(host="127.0.0.1"), ReachChoice(host="localhost")])
def test_who_asks_for_nothing_or_for_loopback_gets_no_door(choice: ReachChoice | None, tmp_path: Path) -> None:
    with open_reach(choice, tmp_path) as reach:
        assert reach is None
    assert list(tmp_path.iterdir()) == []


def test_without_tls_an_outer_address_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught, open_reach(ReachChoice(host="192.0.2.7", tls=False), tmp_path):
        pass
    assert "neither microphone nor camera" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    monkeypatch.setattr(opening, "is_loopback_host", lambda host: False)
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConflictError) as caught, open_reach(ReachChoice(host=LOOPBACK, port=port), tmp_path):
            pass
    assert caught.value.message == f"port {port} of 127.0.0.1 cannot be used: Address already in use"
    assert caught.value.hint == "--port PORT, with another one"


def test_the_usual_port_of_media_is_taken_again_after_connections_that_have_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((LOOPBACK, 0)) as before:
        port = before.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)) as visitor:
            before.accept()[0].close()  # who closes first keeps the port for a minute
            assert visitor.recv(1) == b""
    monkeypatch.setattr(opening, "TCP_PORT", port)
    with open_door_here(tmp_path, monkeypatch) as reach:
        assert reach.media.tcp_port == port
    with socket.create_server((LOOPBACK, port)), open_door_here(tmp_path, monkeypatch) as reach:
        assert reach.media.tcp_port != port


class Seer(asyncio.DatagramProtocol):
    """A STUN server that answers where the event loop runs."""

    def __init__(self) -> None:
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self.asked += 1
        request = stun.parse_message(data)
        answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = ("203.0.113.7", 4_000)
        self._transport.sendto(bytes(answer), peer)


@asynccontextmanager
async def seeing(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Seer, ReachChoice]]:
    """Yields a STUN server, and a way in that asks it where media comes to."""
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    monkeypatch.setattr(opening, "is_loopback_host", lambda host: False)
    loop = asyncio.get_running_loop()
    transport, seer = await loop.create_datagram_endpoint(Seer, local_addr=(LOOPBACK, 0))
    port = transport.get_extra_info("sockname")[1]
    yield seer, ReachChoice(host=LOOPBACK, port=free_tcp_port(), node_ip=f"stun:{LOOPBACK}:{port}")
    transport.close()


def can_be_had(port: int | None) -> bool:
    with contextlib.suppress(OSError), socket.create_server((LOOPBACK, port or 0)):
        return True
    return False


async def test_everything_else_goes_on_while_a_stun_server_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seeing(monkeypatch) as (seer, choice):
        async with opened_reach(choice, tmp_path, own_server=True) as reach:
            assert reach is not None and reach.media.node_ip == "203.0.113.7"
    assert seer.asked >= 1 and can_be_had(choice.port)


async def test_nobody_is_asked_where_media_comes_to_when_it_goes_to_somebody_else_s_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seeing(monkeypatch) as (seer, choice):
        async with opened_reach(choice, tmp_path, own_server=False) as reach:
            assert reach is not None and reach.media.node_ip is None
    assert seer.asked == 0


async def test_who_breaks_off_while_a_stun_server_is_asked_lets_the_port_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_address, "ANSWER_S", 0.1)
    async with seeing(monkeypatch) as (seer, choice):
        asked = asyncio.Event()
        monkeypatch.setattr(seer, "datagram_received", lambda data, peer: asked.set())

        async def open_it() -> None:
            async with opened_reach(choice, tmp_path, own_server=True):
                raise NotImplementedError

        opening_it = asyncio.ensure_future(open_it())
        async with asyncio.timeout(30):
            await asked.wait()
            opening_it.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening_it
            while not can_be_had(choice.port):
                await asyncio.sleep(0.01)


def test_a_given_pair_that_does_not_fit_lets_the_port_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    monkeypatch.setattr(opening, "is_loopback_host", lambda host: False)
    none = tmp_path / "none.pem"
    choice = ReachChoice(host=LOOPBACK, port=free_tcp_port(), tls_cert=none, tls_key=none)
    with pytest.raises(SettingsError, match="cannot be read"), open_reach(choice, tmp_path):
        pass
    assert choice.port is not None
    socket.create_server((LOOPBACK, choice.port)).close()


def test_the_link_s_origin_names_the_port_unless_it_is_the_usual_one(reach: Reach) -> None:
    assert reach.url == f"https://127.0.0.1:{reach.port}"
    assert reach.way_in.hosts == {f"127.0.0.1:{reach.port}"}


def test_who_starts_it_is_told_what_must_be_open_and_which_warning_a_visitor_sees(reach: Reach) -> None:
    open_, warning, firefox = notes_of(reach)
    assert f"port {reach.port}/tcp of 127.0.0.1" in open_ and f"{reach.media.udp_port}/udp" in open_
    assert f"{reach.url}{AUTHORITY_PATH}" in warning and str(reach.fingerprint) in warning
    assert "a name in the link" in firefox


def test_where_media_goes_elsewhere_no_port_for_it_is_asked_for(reach: Reach) -> None:
    notes = " ".join(notes_of(reach, own_server=False))
    assert f"page at port {reach.port}/tcp" in notes and "warns once" in notes
    assert "/udp" not in notes and "Firefox" not in notes
