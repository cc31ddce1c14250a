"""A host's requests to the page's server: carried out for a host, refused to everybody else."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from meetctl.errors import NotRunningError
from meetctl.web.direction import MAX_WORDS, Directive
from meetctl.web.invites import Invites
from meetctl.web.server import MAX_BODY_BYTES, PageServer
from tests.meetctl.web.conftest import Door

CAST = {
    "floor": "ada",
    "agents": [{"identity": "ada", "name": "Ada", "muted": False}],
    "people": [],
    "locked": False,
}


async def direct(client: aiohttp.ClientSession, invite: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    async with client.post("/api/direct", json={"invite": invite, **asked}) as response:
        return response.status, await response.json()


async def test_a_host_s_words_reach_the_meeting_and_the_answer_shows_the_agents(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    host = invites.host.get_secret_value()
    assert await direct(client, host, do="say", agent="ada", text="Welcome.") == (200, CAST)
    assert await direct(client, host, do="mute", agent="max") == (200, CAST)
    assert await direct(client, host, do="tell", text="It moved.") == (200, CAST)
    assert door.directed == [
        (Directive.SAY, "ada", "Welcome."),
        (Directive.MUTE, "max", ""),
        (Directive.TELL, "", "It moved."),
    ]


async def test_a_host_who_only_looks_changes_nothing(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    assert await direct(client, invites.host.get_secret_value()) == (200, CAST)
    assert door.directed == []


async def test_a_guest_can_neither_direct_nor_look(client: aiohttp.ClientSession, invites: Invites, door: Door) -> None:
    guest = invites.guest.get_secret_value()
    for asked in ({"do": "say", "agent": "ada", "text": "I quit."}, {}):
        status, answer = await direct(client, guest, **asked)
        assert (status, answer["code"]) == (403, "not_host")
    status, answer = await direct(client, "nobody", do="mute", agent="ada")
    assert (status, answer["code"]) == (403, "wrong_invite")
    assert door.directed == []


async def test_after_the_end_or_a_revocation_nobody_directs(
    client: aiohttp.ClientSession, server: PageServer, invites: Invites, door: Door
) -> None:
    host = invites.host.get_secret_value()
    server.revoke()
    assert (await direct(client, host, do="mute", agent="ada"))[0] == 403
    server.close()
    assert (await direct(client, host, do="mute", agent="ada"))[0] == 410
    assert door.directed == []


async def test_why_it_cannot_be_done_is_told_to_the_host(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    door.refusal = NotRunningError("the chair of standup is backoff", hint="meetctl status standup")
    assert await direct(client, invites.host.get_secret_value(), do="floor", agent="ada") == (
        409,
        {"code": "not_running", "message": "the chair of standup is backoff"},
    )


@pytest.mark.parametrize("asked", [{"do": "shout"}, {"do": 3}, {"agent": ["ada"]}, {"text": None}])
async def test_what_is_no_directive_is_refused(
    client: aiohttp.ClientSession, invites: Invites, door: Door, asked: dict[str, Any]
) -> None:
    assert (await direct(client, invites.host.get_secret_value(), **asked))[0] == 400
    assert door.directed == []


async def test_the_longest_words_of_any_script_fit_and_far_longer_ones_do_not(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    host = invites.host.get_secret_value()
    longest = "🙂" * MAX_WORDS
    body = f'{{"invite": "{host}", "do": "tell", "text": "{longest}"}}'.encode()  # as browsers write it: not escaped
    async with client.post("/api/direct", data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 200
    assert door.directed == [(Directive.TELL, "", longest)]
    assert (await direct(client, host, do="tell", text="x" * MAX_BODY_BYTES))[0] == 413


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
async def test_another_site_cannot_direct_with_a_host_s_invite(
    client: aiohttp.ClientSession, invites: Invites, door: Door, headers: dict[str, str]
) -> None:
    body = {"invite": invites.host.get_secret_value(), "do": "mute", "agent": "ada"}
    async with client.post("/api/direct", json=body, headers=headers) as response:
        assert response.status == 403
    assert door.directed == []
