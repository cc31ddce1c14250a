"""Who asks: what a visitor says of it is forgotten, what the proxy in front says is believed."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy

from meetctl.reach.way_in import WayIn

HOSTS = frozenset({"meet.example.org"})
BEHIND = WayIn("https", HOSTS, "/team", is_behind_proxy=True)
OPEN = WayIn("https", HOSTS)
SAID = ["X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "CF-Connecting-IP"]


def asked(peer: str, headers: list[tuple[str, str]]) -> web.Request:
    request = make_mocked_request("GET", "/", headers=CIMultiDict([("Host", "meet.example.org"), *headers]))
    return request.clone(remote=peer)


@pytest.mark.parametrize("way", [OPEN, BEHIND], ids=["open", "behind"])
def test_what_a_visitor_says_of_addresses_is_gone(way: WayIn) -> None:
    seen = way.as_asked(asked("192.0.2.66", [*((name, "203.0.113.9") for name in SAID), ("Accept", "*/*")]))
    assert seen.remote == "192.0.2.66"
    assert {name.lower() for name in seen.headers} == {"host", "accept"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "visitor"),
    [
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("::1", ["2001:DB8::9"], "2001:db8::9"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9, 127.0.0.1"], "203.0.113.9"),
        ("127.0.0.1", ["127.0.0.1, 127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("192.0.2.66", ["203.0.113.9"], "192.0.2.66"),
        ("127.0.0.2", ["203.0.113.9"], "127.0.0.2"),
    ],
)
def test_behind_a_proxy_the_last_address_that_it_names_is_who_asks(
    peer: str, forwarded: list[str], visitor: str
) -> None:
    seen = BEHIND.as_asked(asked(peer, [("X-Forwarded-For", value) for value in forwarded]))
    assert (seen.remote, seen.scheme, seen.secure) == (visitor, "https", True)


def test_a_page_is_told_of_signaling_below_the_prefix() -> None:
    assert BEHIND.server_url("meet.example.org") == "wss://meet.example.org/team"
    assert WayIn("http", HOSTS).server_url("127.0.0.1:8080") == "ws://127.0.0.1:8080"


def test_an_ordinary_request_stays_as_it_is() -> None:
    request: Any = asked("192.0.2.66", [])
    assert OPEN.as_asked(request) is request


@pytest.mark.parametrize("way", [OPEN, BEHIND], ids=["open", "behind"])
def test_a_header_that_is_no_utf8_is_left_out_and_hurts_nobody(way: WayIn) -> None:
    latin = "J\udcfcrgen"
    request = asked("127.0.0.1", [("X-Forwarded-For", "1"), ("Accept", "*/*")])
    headers = CIMultiDictProxy(CIMultiDict([*request.headers.items(), ("X-User", latin)]))
    request._message = request._message._replace(headers=headers)
    request._headers = headers
    assert {name.lower() for name in way.as_asked(request).headers} == {"host", "accept"}
