"""A visitor without an invite tests their connection: they get what opens nothing, and not as often as they like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from meetctl.errors import LiveKitError
from meetctl.reach.signaling import SignalingProxy
from meetctl.web.invites import Invites
from meetctl.web.server import PageServer
from meetctl.web.trial import OF_ADDRESS_AT_ONCE, Ports, Trial, Trials
from tests.meetctl.web.conftest import LIVEKIT_URL, Door


class Rooms:
    def __init__(self) -> None:
        self.begun = 0
        self.is_away = False

    async def begin(self) -> Trial:
        if self.is_away:
            raise LiveKitError("ws://10.0.0.7 refused key APIabc", hint="check the key")
        self.begun += 1
        return Trial(SecretStr("token-udp"), SecretStr("token-tcp"))


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
async def trying(static: Path, invites: Invites, door: Door, rooms: Rooms) -> AsyncIterator[aiohttp.ClientSession]:
    trials = Trials(rooms, Ports("10.77.0.1", 7882, 7881))
    server = PageServer(
        room="standup",
        livekit_url=LIVEKIT_URL,
        invites=invites,
        admit=door.admit,
        info=door.info,
        signaling=SignalingProxy("ws://127.0.0.1:9"),
        trials=trials,
        static=static,
    )
    async with server, aiohttp.ClientSession(server.url) as client:
        yield client


async def test_it_needs_no_invite_and_tells_of_the_ways_and_nothing_of_the_meeting(
    trying: aiohttp.ClientSession, invites: Invites
) -> None:
    async with trying.get("/connection") as response:
        assert "<title>Meeting</title>" in await response.text()
    async with trying.post("/api/trial", json={}) as response:
        answer = await response.json()
    url = answer.pop("livekit_url")
    assert url.startswith("ws://127.0.0.1:")
    ports = {"address": "10.77.0.1", "udp": 7882, "tcp": 7881}
    assert answer == {"udp": "token-udp", "tcp": "token-tcp", "turn": None, "ports": ports}
    async with trying.post("/api/info", json={"invite": invites.guest.get_secret_value()}) as response:
        assert (await response.json())["trial"] == "connection"


async def test_one_address_tests_not_as_often_as_it_likes(trying: aiohttp.ClientSession, rooms: Rooms) -> None:
    answers = []
    for _ in range(OF_ADDRESS_AT_ONCE + 20):
        async with trying.post("/api/trial", json={}) as response:
            answers.append(response.status)
    assert answers[:OF_ADDRESS_AT_ONCE] == [200] * OF_ADDRESS_AT_ONCE
    assert answers.count(429) >= 15 and rooms.begun == answers.count(200)


@pytest.mark.parametrize("body", [{"invite": "x"}, {"room": "standup"}, []])
async def test_nothing_can_be_asked_for(trying: aiohttp.ClientSession, rooms: Rooms, body: object) -> None:
    async with trying.post("/api/trial", json=body) as response:
        assert (response.status, rooms.begun) == (400, 0)


async def test_a_server_that_is_away_is_said_without_its_reasons(trying: aiohttp.ClientSession, rooms: Rooms) -> None:
    rooms.is_away = True
    async with trying.post("/api/trial", json={}) as response:
        answer = await response.json()
        assert (response.status, answer["code"], "APIabc" in str(answer)) == (503, "no_server", False)


async def test_where_somebody_else_runs_the_server_nothing_is_tested(
    client: aiohttp.ClientSession, invites: Invites
) -> None:
    async with client.get("/connection") as page, client.post("/api/trial", json={}) as answer:
        assert (page.status, answer.status) == (404, 404)
