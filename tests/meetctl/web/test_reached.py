"""The page as people on other machines ask for it: by TLS, under the door's own names, with signaling at one origin."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from meetctl.reach.opening import Reach
from meetctl.reach.signaling import SignalingProxy
from meetctl.reach.words import AUTHORITY_PATH
from meetctl.web.invites import Invites
from meetctl.web.server import PageServer
from tests.meetctl.reach.conftest import open_door_here
from tests.meetctl.web.conftest import LIVEKIT_URL, Door


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    with open_door_here(tmp_path / "state", monkeypatch) as reach:
        yield reach


@pytest.fixture
async def reached(static: Path, invites: Invites, door: Door, reach: Reach) -> AsyncIterator[PageServer]:
    async with (
        SignalingProxy(LIVEKIT_URL) as signaling,
        PageServer(
            room="standup",
            livekit_url=LIVEKIT_URL,
            invites=invites,
            admit=door.admit,
            info=door.info,
            signaling=signaling,
            reach=reach,
            static=static,
        ) as server,
    ):
        yield server


@pytest.fixture
async def far(reached: PageServer, reach: Reach) -> AsyncIterator[aiohttp.ClientSession]:
    """Yields a client that trusts the authority and comes by the door."""
    assert reach.authority is not None
    trusting = ssl.create_default_context(cadata=reach.authority.decode())
    async with aiohttp.ClientSession(reach.url, connector=aiohttp.TCPConnector(ssl=trusting)) as client:
        yield client


async def test_the_link_is_for_others_and_there_is_one_for_this_machine_too(reached: PageServer, reach: Reach) -> None:
    assert reached.join_link().startswith(f"{reach.url}/standup#invite=")
    assert reached.join_link(local=True).startswith(f"{reached.url}/standup#invite=")


async def test_signaling_is_at_the_origin_that_the_page_came_from(
    far: aiohttp.ClientSession, reached: PageServer, reach: Reach, invites: Invites
) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    async with far.post("/api/join", json=body) as response:
        assert (await response.json())["livekit_url"] == reach.url.replace("https", "wss")
        assert f"wss://127.0.0.1:{reach.port}" in response.headers["Content-Security-Policy"]
        assert LIVEKIT_URL not in response.headers["Content-Security-Policy"]
    async with aiohttp.ClientSession(reached.url) as near, near.post("/api/join", json=body) as response:
        assert (await response.json())["livekit_url"] == reached.url.replace("http", "ws")


async def test_the_authority_s_certificate_can_be_fetched_and_the_page_says_where(
    far: aiohttp.ClientSession, reach: Reach, invites: Invites
) -> None:
    async with far.post("/api/info", json={"invite": invites.guest.get_secret_value()}) as response:
        assert (await response.json())["authority"] == AUTHORITY_PATH.strip("/")
    async with far.get(AUTHORITY_PATH) as response:
        assert await response.read() == reach.authority
        assert response.content_type == "application/x-x509-ca-cert"


async def test_each_door_is_asked_under_its_own_names_alone(
    far: aiohttp.ClientSession, reached: PageServer, reach: Reach
) -> None:
    async with far.get("/standup", headers={"Host": reached.url.removeprefix("http://")}) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_host")
    async with aiohttp.ClientSession(reached.url) as near:
        async with near.get("/standup", headers={"Host": f"127.0.0.1:{reach.port}"}) as response:
            assert (response.status, (await response.json())["code"]) == (403, "foreign_host")


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_an_origin_of_another_scheme_is_foreign(
    far: aiohttp.ClientSession, reach: Reach, invites: Invites, scheme: str
) -> None:
    body = {"invite": invites.guest.get_secret_value(), "name": "Bob"}
    headers = {"Origin": f"{scheme}://127.0.0.1:{reach.port}"}
    async with far.post("/api/join", json=body, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (403, "foreign_origin")


async def test_a_meeting_for_this_machine_has_no_authority_to_fetch(client: aiohttp.ClientSession) -> None:
    async with client.get(AUTHORITY_PATH) as response:
        assert response.status == 404
