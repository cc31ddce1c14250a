"""Everybody who may knock, at every route there is: who may do what, and that nobody else does or learns anything."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from meetctl.reach.signaling import PATHS, SignalingProxy
from meetctl.web.invites import Comer, Invites, Role
from meetctl.web.lobby import Knock
from meetctl.web.people import Manage
from meetctl.web.server import PageServer
from meetctl.web.trial import Ports, Trial, Trials
from tests.meetctl.web.conftest import LIVEKIT_URL, Desk, Door

ONE, OUTSIDE, GONE = "1" * 32, "2" * 32, "3" * 32
"""Browsers: of somebody who is in, of somebody who waits, of somebody who was removed."""


class Porch:
    """Whoever comes in the browser of somebody who waits, waits."""

    def __init__(self) -> None:
        self.withdrawn: list[str | None] = []

    def knock(self, name: str, comer: Comer, address: str, visit: str | None = None) -> Knock:
        return Knock.WAITING if comer.device == OUTSIDE else Knock.IN

    def waits(self, name: str, comer: Comer) -> bool:
        return comer.device == OUTSIDE

    def tells(self, comer: Comer) -> bool:
        return comer.device != OUTSIDE

    def withdraw(self, device: str | None, visit: str | None = None) -> None:
        self.withdrawn.append(device)


class Rooms:
    def __init__(self) -> None:
        self.begun = 0

    async def begin(self) -> Trial:
        self.begun += 1
        return Trial(SecretStr("token-udp"), None)


@dataclass
class House:
    """A page's server with everything around it, and one link of each kind."""

    server: PageServer
    client: aiohttp.ClientSession
    door: Door
    desk: Desk
    porch: Porch
    rooms: Rooms
    invites: dict[str, str]

    def done(self) -> list[str]:
        """Returns what anybody has brought about."""
        door, desk = self.door, self.desk
        deeds = {
            "join": door.admitted,
            "direct": door.directed,
            "decide": door.decided,
            "manage": desk.managed,
            "report": desk.reported,
            "withdraw": self.porch.withdrawn,
            "trial": self.rooms.begun,
        }
        return [deed for deed, times in deeds.items() if times]


@pytest.fixture
async def house(static: Path, door: Door, desk: Desk) -> AsyncIterator[House]:
    porch, rooms = Porch(), Rooms()
    desk.kept_out.add(GONE)
    server = PageServer(
        room="standup",
        livekit_url=LIVEKIT_URL,
        invites=Invites.create(),
        admit=door.admit,
        info=door.info,
        direct=door.direct,
        requests=door.requests,
        decide=door.decide,
        cast=door.cast,
        people=desk,
        lobby=porch,
        signaling=SignalingProxy("ws://127.0.0.1:9", keeps_out=lambda identity: True),
        trials=Trials(rooms, Ports(None, None, None)),
        static=static,
    )
    links = server.links
    invites = {role.value: links.invites.of(role).get_secret_value() for role in Role}
    invites["waiting"], invites["removed"] = invites["guest"], invites["host"]
    invites["expired"] = links.personal("Eve", Role.HOST, expires_s=0.0).get_secret_value()
    invites["revoked"] = links.personal("Bob", Role.HOST).get_secret_value()
    links.revoke("Bob")
    used = links.comer(once := links.personal("Ida", Role.HOST, once=True).get_secret_value(), OUTSIDE)
    assert isinstance(used, Comer) and links.use(used)
    invites["used"] = once
    invites["nobody"] = "nobody"
    async with server, aiohttp.ClientSession(server.url) as client:
        yield House(server, client, door, desk, porch, rooms, invites)


WHO = ("guest", "host", "observer", "waiting", "removed", "expired", "revoked", "used", "nobody")
DEVICES = {"waiting": OUTSIDE, "removed": GONE}
REFUSED = {
    "removed": "removed",
    "expired": "link_expired",
    "revoked": "wrong_invite",
    "used": "link_used",
    "nobody": "wrong_invite",
}
"""With what these are turned away, wherever an invite is asked for."""
CONNECTION = {"ice": "connected", "path": "udp", "loss": 0.0, "rtt_ms": 1.0}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "look": ("/api/info", {}),
    "join": ("/api/join", {"name": "Zoe"}),
    "withdraw": ("/api/withdraw", {}),
    "report": ("/api/report", {"identity": "bob-1", "connection": CONNECTION}),
    "see the cast": ("/api/direct", {}),
    "direct": ("/api/direct", {"do": "mute", "agent": "ada"}),
    "see requests": ("/api/requests", {}),
    "decide": ("/api/requests", {"id": "1", "allowed": True, "by": "Zoe"}),
    **{f"manage: {do.value}": ("/api/manage", {"do": do.value, "person": "Bob"}) for do in Manage},
}
"""What is asked with an invite."""
OF_HOSTS = ASKED.keys() - {"look", "join", "withdraw", "report"}
OPEN = ("/", "/{room}", "/healthz", "/favicon.ico", "/assets/{name}", "/authority.crt", "/connection", "/api/echo")
"""What everybody may have: nothing of the meeting is in it."""
TRIAL = "/api/trial"


def test_the_table_has_every_route_there_is(house: House) -> None:
    posted = {path for path, _ in ASKED.values()} | {TRIAL}
    assert {path for _, path in house.server.routes} == posted | set(OPEN) | set(PATHS)
    assert {path for method, path in house.server.routes if method == "POST"} == posted


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("who", WHO)
async def test_each_may_do_what_is_theirs_and_nothing_else(house: House, who: str, what: str) -> None:
    path, body = ASKED[what]
    body = {**body, "invite": house.invites[who], "device": DEVICES.get(who, ONE)}
    async with house.client.post(path, json=body) as response:
        status, text = response.status, await response.text()
    if who in REFUSED:
        expected = (403, REFUSED[who])
    elif what in OF_HOSTS and who != "host":
        expected = (403, "not_host")
    elif who == "waiting" and what == "join":
        expected = (202, "waiting")
    else:
        expected = (204 if what in ("report", "withdraw") else 200, "")
    assert status == expected[0] and expected[1] in text, text
    deed = what.partition(":")[0]
    brings_about = deed if status in (200, 204) and deed not in ("look", "see the cast", "see requests") else None
    assert house.done() == ([] if brings_about is None else [brings_about])
    if who not in ("guest", "host", "observer"):
        assert not [word for word in ("Friday launch", "Ada", "Max", "token") if word in text], text


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_of_one_s_own_nobody_comes_to_signaling_with_whatever_invite(
    house: House, path: str
) -> None:
    for invite in house.invites.values():
        for query in ({}, {"access_token": invite}, {"invite": invite}):
            for headers in ({}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
                async with house.client.get(path, params=query, headers=headers) as response:
                    assert response.status == 401


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_no_route_answers_to_another_method(house: House, method: str) -> None:
    served = set(house.server.routes)
    for path in {path for _, path in served}:
        if (method, path) not in served:
            url = path.format(room="standup", name="index-abc123.js")
            async with house.client.request(method, url, json={"invite": house.invites["host"]}) as response:
                assert response.status in (404, 405), (method, path)
    assert house.done() == []


async def test_another_site_is_refused_at_every_route(house: House) -> None:
    for method, path in house.server.routes:
        url = path.format(room="standup", name="index-abc123.js")
        for header in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            body = None if method == "GET" else {"invite": house.invites["host"], "device": ONE, "name": "Bob"}
            async with house.client.request(method, url, json=body, headers=header) as response:
                answer = await response.json()
                assert (response.status, answer["code"][:8]) == (403, "foreign_"), (path, header)
    assert house.done() == []


async def test_ten_megabytes_are_read_by_no_route_announced_or_not(house: House) -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 2**20

    for path in sorted({path for method, path in house.server.routes if method == "POST"}):
        for data in (io.BytesIO(bytes(10 * 2**20)), flood()):
            headers = {"Content-Type": "application/json", "Connection": "close"}
            try:
                async with house.client.post(path, data=data, headers=headers) as response:
                    assert response.status == 413, path
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                pass  # it hung up while more was coming
    assert house.done() == []


async def test_what_is_open_to_everybody_tells_nothing_of_the_meeting(house: House) -> None:
    for path in OPEN:
        async with house.client.get(path.format(room="standup", name="index-abc123.js")) as response:
            text = await response.text()
            assert not [word for word in ("Friday launch", "Ada", "token") if word in text], path
    async with house.client.post(TRIAL, json={}) as response:
        assert (response.status, "standup" in await response.text()) == (200, False)
    assert house.done() == ["trial"]
