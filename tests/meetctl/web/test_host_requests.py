"""What waits for a host's word, over the page's server: for a host, and for nobody else."""

from __future__ import annotations

from typing import Any

import aiohttp

from meetctl.errors import UsageError
from meetctl.web.invites import Invites
from meetctl.web.server import PageServer
from tests.meetctl.web.conftest import Door

WAITING = [{"id": "1", "kind": "tool", "name": "Ada", "what": "send", "detail": "{}"}]


async def post(client: aiohttp.ClientSession, invite: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    async with client.post("/api/requests", json={"invite": invite, **asked}) as response:
        return response.status, await response.json()


async def test_a_host_looks_allows_and_refuses(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    host = invites.host.get_secret_value()
    assert await post(client, host) == (200, {"requests": WAITING})
    assert door.decided == []
    assert (await post(client, host, id="1", allowed=True, by=" Zo\u00eb "))[0] == 200
    assert (await post(client, host, id="2", allowed=False, by="\n"))[0] == 200
    assert door.decided == [("1", True, "Zoë"), ("2", False, "a host")]


async def test_a_guest_neither_looks_nor_decides(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    guest = invites.guest.get_secret_value()
    for asked in ({}, {"id": "1", "allowed": True}):
        status, answer = await post(client, guest, **asked)
        assert (status, answer["code"]) == (403, "not_host")
        status, answer = await post(client, "nobody", **asked)
        assert (status, answer["code"]) == (403, "wrong_invite")
    assert door.decided == []


async def test_what_is_decided_already_is_said_to_a_host(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    door.refusal = UsageError("nothing waits under '1'")
    status, answer = await post(client, invites.host.get_secret_value(), id="1", allowed=True)
    assert (status, answer["message"]) == (409, "nothing waits under '1'")


async def test_after_the_end_nobody_decides(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites, door: Door
) -> None:
    server.close()
    assert (await post(client, invites.host.get_secret_value(), id="1", allowed=True))[0] == 410
    assert door.decided == []
