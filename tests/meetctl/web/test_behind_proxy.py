"""The page behind a proxy: below a prefix, under the proxy's name alone, each visitor with an address of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from meetctl.local.ports import free_tcp_port
from meetctl.reach import opening
from meetctl.reach.opening import Reach, open_reach
from meetctl.reach.signaling import PATHS, SignalingProxy
from meetctl.roster import PublicUrl, ReachChoice
from meetctl.web.gate import WRONG_AT_ONCE
from meetctl.web.invites import Invites
from meetctl.web.server import PageServer
from tests.meetctl.reach.conftest import HERE
from tests.meetctl.web.conftest import LIVEKIT_URL, Door

PUBLIC = PublicUrl("meet.example.org", "/team")


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    monkeypatch.setattr(opening, "own_addresses", lambda: [HERE])
    with open_reach(ReachChoice(host="auto", port=free_tcp_port(), public_url=PUBLIC), tmp_path) as reach:
        assert reach is not None
        yield reach


@pytest.fixture
async def served(static: Path, invites: Invites, door: Door, reach: Reach) -> AsyncIterator[PageServer]:
    async with (
        SignalingProxy("ws://127.0.0.1:9") as signaling,
        PageServer(
            room="standup",
            livekit_url=LIVEKIT_URL,
            invites=invites,
            admit=door.admit,
            info=door.info,
            signaling=signaling,
            reach=reach,
            static=static,
            clock=lambda: 100.0,
        ) as server,
    ):
        yield server


@pytest.fixture
async def proxy(served: PageServer, reach: Reach) -> AsyncIterator[aiohttp.ClientSession]:
    """Yields a client that asks as a proxy does."""
    headers = {"Host": PUBLIC.host, "X-Forwarded-Proto": "https"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{reach.port}", headers=headers) as client:
        yield client


def test_the_link_is_that_of_the_proxy_and_there_is_one_for_this_machine_too(served: PageServer) -> None:
    assert served.join_link().startswith("https://meet.example.org/team/standup#invite=")
    assert served.join_link(local=True).startswith(f"{served.url}/standup#invite=")


@pytest.mark.parametrize("base", ["/team", ""], ids=["left", "taken away"])
async def test_everything_is_there_whether_the_prefix_is_left_or_taken_away(
    proxy: aiohttp.ClientSession, invites: Invites, base: str
) -> None:
    for path in ("/", "/standup", "/healthz"):
        async with proxy.get(base + path) as response:
            assert response.status == 200, path
            assert "wss://meet.example.org" in response.headers["Content-Security-Policy"]
    headers = {"Origin": "https://meet.example.org"}
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    async with proxy.post(f"{base}/api/join", json=body, headers=headers) as response:
        assert (await response.json())["livekit_url"] == "wss://meet.example.org/team"
    for path in PATHS:
        async with proxy.get(base + path) as response:
            assert (response.status, (await response.json())["code"]) == (401, "no_token"), path
    async with proxy.ws_connect(f"{base}/api/echo", headers=headers) as socket:
        await socket.send_str("?")
        assert await socket.receive_str() == "?"


async def test_the_prefix_without_its_slash_leads_to_the_page(proxy: aiohttp.ClientSession) -> None:
    async with proxy.get("/team", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/team/")


@pytest.mark.parametrize("path", ["/other/standup", "/teams/", "/team/other", "/team/team/standup"])
async def test_nothing_is_anywhere_else(proxy: aiohttp.ClientSession, path: str) -> None:
    async with proxy.get(path) as response:
        assert response.status == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example", "meet.example.org:7444"])
async def test_another_host_is_refused_with_what_the_proxy_has_to_do(proxy: aiohttp.ClientSession, host: str) -> None:
    async with proxy.get("/team/standup", headers={"Host": host}) as response:
        answer = await response.json()
        assert (response.status, answer["code"]) == (403, "foreign_host")
        assert "pass on the Host header" in answer["message"]


@pytest.mark.parametrize("origin", ["http://meet.example.org", "https://evil.example", "http://127.0.0.1"])
async def test_another_origin_is_foreign(proxy: aiohttp.ClientSession, invites: Invites, origin: str) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    async with proxy.post("/team/api/join", json=body, headers={"Origin": origin}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_origin")


async def use_up_tries(client: aiohttp.ClientSession, address: str) -> int:
    """Returns the status after so many wrong links from that address as are one too many."""
    for _ in range(WRONG_AT_ONCE + 1):
        headers = {"X-Forwarded-For": address}
        async with client.post("/api/info", json={"invite": "wrong"}, headers=headers) as response:
            status = response.status
    return status


async def test_who_tries_too_often_waits_alone(proxy: aiohttp.ClientSession, invites: Invites) -> None:
    assert await use_up_tries(proxy, "203.0.113.9") == 429
    body = {"invite": invites.guest.get_secret_value()}
    for address, status in (("203.0.113.9", 429), ("203.0.113.10", 200), ("203.0.113.10, 203.0.113.9", 429)):
        async with proxy.post("/team/api/info", json=body, headers={"X-Forwarded-For": address}) as response:
            assert response.status == status, address


async def test_nobody_gets_more_tries_by_naming_addresses_where_no_proxy_is(served: PageServer) -> None:
    async with aiohttp.ClientSession(served.url) as near:
        for number in range(WRONG_AT_ONCE):
            headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
            async with near.post("/api/info", json={"invite": "wrong"}, headers=headers) as response:
                assert response.status == 403
        async with near.post("/api/info", json={"invite": "wrong"}, headers={"X-Forwarded-For": "1.1.1.1"}) as response:
            assert response.status == 429


async def test_a_connection_that_stays_open_is_asked_for_as_one(proxy: aiohttp.ClientSession) -> None:
    async with proxy.get("/team/api/echo") as response:
        assert response.status == 426
