"""Where media comes in behind a router: as it is written, or as a STUN server sees it. The server speaks real STUN."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from aioice import stun

from meetctl.errors import NetworkError, UsageError
from meetctl.local.ports import LOOPBACK, free_tcp_port
from meetctl.reach import node_address
from meetctl.reach.node_address import resolve_node_ip

SEEN = ("203.0.113.7", 4_000)
Answer = Callable[[stun.Message], list[bytes]]


def right(request: stun.Message) -> list[bytes]:
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
    answer.attributes["XOR-MAPPED-ADDRESS"] = SEEN
    return [bytes(answer)]


def after_nonsense(request: stun.Message) -> list[bytes]:
    other = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    other.attributes["XOR-MAPPED-ADDRESS"] = ("198.51.100.1", 1)
    return [b"nonsense", bytes(other), *right(request)]


@contextmanager
def stun_serving(answer: Answer) -> Iterator[str]:
    """Yields the address of a server that answers one request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOOPBACK, 0))
        server.settimeout(30)

        def serve() -> None:
            data, peer = server.recvfrom(2_048)
            for part in answer(stun.parse_message(data)):
                server.sendto(part, peer)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"stun:{LOOPBACK}:{server.getsockname()[1]}"
        serving.join()


def after_a_broken_fingerprint(request: stun.Message) -> list[bytes]:
    header = bytes(stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id))
    broken = b"\x80\x28\x00\x01\x00\x00\x00\x00"
    return [header[:2] + len(broken).to_bytes(2, "big") + header[4:] + broken, *right(request)]


@pytest.mark.parametrize("answer", [right, after_nonsense, after_a_broken_fingerprint])
def test_the_address_that_the_server_sees_is_taken(answer: Answer) -> None:
    with stun_serving(answer) as server:
        assert resolve_node_ip(server, LOOPBACK) == SEEN[0]


def test_one_that_is_written_is_taken_and_nobody_is_asked() -> None:
    assert resolve_node_ip("203.0.113.9", "192.0.2.7") == "203.0.113.9"


def test_a_server_that_nobody_knows_or_that_says_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_address, "ANSWER_S", 0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((LOOPBACK, 0))
        port = silent.getsockname()[1]
        with pytest.raises(NetworkError, match=f"127.0.0.1:{port} does not answer"):
            resolve_node_ip(f"stun:127.0.0.1:{port}", LOOPBACK)
    for server in ("stun:nobody.invalid", f"stun:127.0.0.1:{free_tcp_port()}"):
        with pytest.raises(NetworkError, match="cannot be asked: ") as caught:
            resolve_node_ip(server, LOOPBACK)
        assert caught.value.hint is not None and "node_ip: 203.0.113.7" in caught.value.hint


def test_an_address_of_the_other_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="one is IPv4, the other IPv6"):
        resolve_node_ip("2001:db8::7", "192.0.2.7")
