"""Links of a meeting: who may do what by which, until when, and that what is not good learns nothing."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from meetctl.web.gate import WRONG_AT_ONCE
from meetctl.web.invites import Comer, Invites, Role
from meetctl.web.links import Links, NotGood
from meetctl.web.server import PageServer
from tests.meetctl.web.conftest import Desk, Door

ONE, OTHER = "1" * 32, "2" * 32
Answer = tuple[int, Any]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(clock: Clock) -> Links:
    return Links(Invites.create(), clock)


def test_a_standing_link_gives_its_role_and_no_name(links: Links) -> None:
    for role in Role:
        invite = links.invites.of(role).get_secret_value()
        assert links.comer(invite, ONE) == Comer(role, ONE, None, f"{role.value}-0")
    assert len({links.invites.of(role).get_secret_value() for role in Role}) == 3
    assert links.comer("nobody", ONE) is NotGood.WRONG
    assert links.comer("\ud800", None) is NotGood.WRONG


def test_a_personal_link_gives_a_name_and_runs_out(links: Links, clock: Clock) -> None:
    invite = links.personal("Bob", Role.OBSERVER, expires_s=60).get_secret_value()
    comer = links.comer(invite, ONE)
    assert isinstance(comer, Comer) and (comer.role, comer.name) == (Role.OBSERVER, "Bob")
    clock.now += 59.9
    assert isinstance(links.comer(invite, ONE), Comer)
    clock.now += 0.1
    assert links.comer(invite, ONE) is NotGood.EXPIRED


def test_a_link_for_once_knows_its_browser_again_and_no_other(links: Links) -> None:
    invite = links.personal("Bob", Role.GUEST, once=True).get_secret_value()
    looking = links.comer(invite, OTHER)
    assert isinstance(looking, Comer), "who only looks has not used it"
    first = links.comer(invite, ONE)
    assert isinstance(first, Comer) and links.use(first) and links.use(first)
    assert links.comer(invite, OTHER) is NotGood.USED
    assert links.comer(invite, None) is NotGood.USED
    assert links.comer(invite, ONE) == first


def test_a_link_for_once_is_not_for_a_program_without_a_browser(links: Links) -> None:
    comer = links.comer(links.personal("Bob", Role.GUEST, once=True).get_secret_value(), None)
    assert isinstance(comer, Comer) and not links.use(comer)


def test_links_are_taken_back_by_name_or_all_at_once(links: Links) -> None:
    bob, zoe = (links.personal(name, Role.GUEST).get_secret_value() for name in ("Bob", "Zoe"))
    guest = links.invites.guest.get_secret_value()
    assert len(links.revoke("BOB")) == 1 and links.revoke("Nemo") == frozenset()
    assert links.comer(bob, ONE) is NotGood.WRONG
    assert isinstance(links.comer(zoe, ONE), Comer)
    assert {"guest-0", "host-0", "observer-0"} < links.revoke_all()
    assert {links.comer(old, ONE) for old in (zoe, guest)} == {NotGood.WRONG}
    new = links.comer(links.invites.guest.get_secret_value(), ONE)
    assert isinstance(new, Comer) and new.link == "guest-1"


def test_one_personal_link_is_taken_back_by_its_id_and_a_standing_one_never(links: Links) -> None:
    invite = links.personal("Bob", Role.GUEST).get_secret_value()
    bob = links.comer(invite, ONE)
    assert isinstance(bob, Comer) and bob.link is not None
    assert links.revoke_id("guest-0") == frozenset()
    assert isinstance(links.comer(links.invites.guest.get_secret_value(), ONE), Comer)
    assert links.revoke_id(bob.link) == {bob.link}
    assert links.comer(invite, ONE) is NotGood.WRONG
    assert links.revoke_id(bob.link) == frozenset()


# --- over the page's server ---


async def post(client: aiohttp.ClientSession, path: str, **body: Any) -> Answer:
    async with client.post(path, json=body) as response:
        return response.status, await response.json() if response.status != 204 else None


async def test_a_locked_meeting_lets_in_hosts_alone(
    client: aiohttp.ClientSession, invites: Invites, desk: Desk
) -> None:
    desk.locked = True
    answers = {
        role.value: (await post(client, "/api/join", invite=invites.of(role).get_secret_value(), name="Bob"))[0]
        for role in Role
    }
    assert answers == {"guest": 423, "host": 200, "observer": 423}


async def test_who_was_removed_is_told_so_by_the_browser_they_use(
    client: aiohttp.ClientSession, invites: Invites, desk: Desk, door: Door
) -> None:
    desk.kept_out.add(ONE)
    guest = invites.guest.get_secret_value()
    for path, body in (("/api/info", {}), ("/api/join", {"name": "Rob"})):
        status, answer = await post(client, path, invite=guest, device=ONE, **body)
        assert (status, answer["code"]) == (403, "removed")
        assert (await post(client, path, invite=guest, device=OTHER, **body))[0] == 200


@pytest.mark.parametrize("device", ["", "short", "x" * 65, "with space 12345678", "../../../../etc/passwd", 7])
async def test_a_browser_s_secret_has_a_shape(
    client: aiohttp.ClientSession, invites: Invites, door: Door, device: object
) -> None:
    guest = invites.guest.get_secret_value()
    assert (await post(client, "/api/join", invite=guest, name="Bob", device=device))[0] == 400
    assert door.admitted == []


async def test_a_personal_link_fixes_the_name_whatever_is_asked_for(
    client: aiohttp.ClientSession, server: PageServer, door: Door
) -> None:
    invite = server.links.personal("Bob", Role.HOST).get_secret_value()
    status, answer = await post(client, "/api/info", invite=invite)
    assert (status, answer["name"], answer["role"]) == (200, "Bob", "host")
    assert (await post(client, "/api/join", invite=invite, name="Eve", device=ONE))[0] == 200
    assert door.admitted == [("Bob", Role.HOST)]


async def test_a_link_for_once_lets_one_browser_in_again_and_again_and_no_other(
    client: aiohttp.ClientSession, server: PageServer, door: Door
) -> None:
    invite = server.links.personal("Bob", Role.GUEST, once=True).get_secret_value()
    assert (await post(client, "/api/info", invite=invite, device=OTHER))[0] == 200
    for device, expected in ((ONE, 200), (ONE, 200), (OTHER, 403), (None, 403), (ONE, 200)):
        status, answer = await post(client, "/api/join", invite=invite, name="Bob", device=device)
        assert status == expected, answer
    assert (await post(client, "/api/info", invite=invite, device=OTHER))[1]["code"] == "link_used"
    assert len(door.admitted) == 3


async def test_whoever_tries_wrong_links_again_and_again_has_to_wait(
    client: aiohttp.ClientSession, invites: Invites, door: Door
) -> None:
    answers: list[int] = []
    for number in range(WRONG_AT_ONCE + 5):
        async with client.post("/api/info", json={"invite": f"nobody-{number}"}) as response:
            answers.append(response.status)
            assert response.status != 429 or int(response.headers["Retry-After"]) >= 1
    assert answers[:WRONG_AT_ONCE] == [403] * WRONG_AT_ONCE and 429 in answers
    assert door.admitted == []
