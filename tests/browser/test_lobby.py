"""People wait outside on their own page until a host lets them in, on the host's page or by the command line."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
from playwright.async_api import Page, Route, expect

from meetctl.meeting.lobby import GONE_S, MOST_OF_ADDRESS
from testing.fixtures.command import Meetctl
from tests.browser.conftest import OpenPage
from tests.browser.test_join_page import join
from tests.browser.test_screenshots import picture
from tests.system.light import POLL_S, WAIT_S, written
from tests.system.standing import Standing

HEAD = "meeting: {admit: ask, topic: The secret launch}\n"


class Until(Protocol):
    async def __call__(self, condition: Callable[[list[dict[str, Any]]], bool], within_s: float = ...) -> None: ...


async def test_a_person_waits_until_a_host_decides_and_goes_in_alone_and_comes_back_without_asking(
    built_page: None, meetctl: Meetctl, open_page: OpenPage, axe: str
) -> None:
    assert (await asyncio.to_thread(meetctl, "up", written(meetctl, "porch", head=HEAD), "-d")).code == 0
    meeting = Standing(meetctl, "porch")

    async def link(role: str) -> str:
        return str((await meeting.answer("link", role=role))["join_link"])

    # Nobody promises that a closed page's goodbye arrives: then it waits until it is taken for gone.
    async def until(condition: Callable[[list[dict[str, Any]]], bool], within_s: float = GONE_S + WAIT_S) -> None:
        async with asyncio.timeout(within_s):
            while not condition((await meeting.answer("status"))["requests"]):
                await asyncio.sleep(POLL_S)

    async def waiting(name: str) -> Page:
        page = await open_page(await link("guest"))
        await expect(page.get_by_test_id("asks")).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("secret launch")
        await expect(page.get_by_test_id("cast")).to_have_count(0)
        await page.get_by_test_id("prejoin-name").fill(name)
        await page.get_by_test_id("join-button").click()
        await expect(page.get_by_test_id("screen-waiting")).to_be_visible()
        return page

    bob = await waiting("Bob")
    await picture(bob, "waiting", axe, kept=False)
    host = await open_page(await link("host"))
    await join(host, "Hanna")
    request = host.get_by_test_id("host-request")
    await expect(request).to_contain_text("Bob wants to come in")
    await expect(request).to_contain_text("as a guest, by the guests' link")
    await request.get_by_test_id("host-allow").click()
    connected = bob.get_by_test_id("connection")
    await expect(connected).to_have_attribute("data-state", "connected")
    await expect(bob.locator("h1")).to_have_text("The secret launch")
    await bob.reload()
    await expect(bob.get_by_test_id("asks")).to_have_count(0)
    await bob.get_by_test_id("join-button").click()
    await expect(connected).to_have_attribute("data-state", "connected")
    await expect(bob.get_by_test_id("tile").filter(has_text="you")).to_contain_text("Bob")
    await expect(bob.get_by_test_id("tile")).to_have_count(2)

    zoe = await waiting("Zoe")
    await request.get_by_role("button", name="Refuse Zoe").click()
    await expect(zoe.get_by_test_id("screen-not-let-in")).to_be_visible()
    await zoe.get_by_test_id("rejoin-button").click()
    await zoe.get_by_test_id("join-button").click()
    await expect(zoe.get_by_test_id("screen-not-let-in")).to_be_visible()

    lou = await waiting("<b>Lou</b>")
    await until(lambda requests: [one["name"] for one in requests] == ["<b>Lou</b>"])
    assert "<b>Lou</b> waits to be let in" in (await asyncio.to_thread(meetctl, "status")).out
    admitted = await asyncio.to_thread(meetctl, "admit", "<b>lou</b>")
    assert (admitted.code, admitted.out) == (0, "porch: <b>Lou</b> is let in\n")
    await expect(lou.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    for page in (bob, zoe, host):
        await page.close()
    ida = await waiting("Ida")
    await ida.get_by_test_id("cancel-button").click()
    await until(lambda requests: requests == [])
    await ida.get_by_test_id("join-button").click()
    await until(lambda requests: len(requests) == 1)
    await ida.close()
    await until(lambda requests: requests == [])
    await _closed_before_it_is_answered(await open_page(await link("guest")), until)
    await _says_that_the_room_outside_is_full(await waiting("Leo"), await link("observer"))

    await _tests_the_connection(await open_page(f"{(await link('guest')).partition('/porch')[0]}/connection"), axe)


async def _closed_before_it_is_answered(page: Page, until: Until) -> None:
    """Asserts that whoever closes the page meanwhile does not wait until they are taken for gone."""

    async def hold(route: Route) -> None:
        await route.fetch()

    await page.route("**/api/join", hold)
    await page.get_by_test_id("prejoin-name").fill("Una")
    await page.get_by_test_id("join-button").click()
    await until(lambda requests: len(requests) == 1)
    await page.goto("about:blank")
    await until(lambda requests: requests == [], WAIT_S)
    await page.close()


async def _says_that_the_room_outside_is_full(page: Page, link: str) -> None:
    """Asserts that a page whose request is gone does not say that a host has been asked while there is no room."""
    origin, _, rest = link.partition("/porch#invite=")
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    async with aiohttp.ClientSession(origin) as client:

        async def post(path: str, device: str, **more: str) -> int:
            async with client.post(path, json={"invite": rest, "device": device, **more}) as response:
                return response.status

        device = await page.evaluate("localStorage.getItem('meetctl.device')")
        await page.route("**/api/join", hold)
        await post("/api/withdraw", device)
        others = [f"{number:032d}" for number in range(MOST_OF_ADDRESS)]
        async with asyncio.timeout(WAIT_S):
            for other in others:
                while await post("/api/join", other, name=f"Nr {other[-2:]}") != HTTPStatus.ACCEPTED:
                    await asyncio.sleep(POLL_S)  # so many do not come at one moment
        go_on.set()
        status = page.get_by_test_id("screen-waiting").get_by_role("status")
        await expect(status).to_contain_text("No host has been asked yet")
        for other in others:
            await post("/api/withdraw", other)
        await expect(status).to_contain_text("A host has been asked whether Leo")
        await page.close()


async def _tests_the_connection(page: Page, axe: str) -> None:
    for way, state in (("signaling", "open"), ("udp", "open"), ("tcp", "none"), ("turn", "none")):
        await expect(page.get_by_test_id(f"trial-{way}")).to_have_attribute("data-state", state)
    await expect(page.get_by_test_id("trial")).to_have_attribute("data-verdict", "good")
    await expect(page.get_by_test_id("trial-udp")).to_contain_text(re.compile(r"works, \d+\.\d\d s"))
    await picture(page, "connection", axe, kept=False)
    origin = page.url.removesuffix("/connection")
    async with aiohttp.ClientSession(origin) as others:  # from one address nobody tests all the time
        status = HTTPStatus.OK
        while status is not HTTPStatus.TOO_MANY_REQUESTS:
            async with others.post("/api/trial", json={}) as response:
                status = HTTPStatus(response.status)
    await page.get_by_test_id("trial-again").click()
    await expect(page.get_by_test_id("trial")).to_have_attribute("data-verdict", "fault")
    await expect(page.locator("h1")).to_contain_text(re.compile(r"connections are being tested.* Try again in \d+ sec"))
    await expect(page.get_by_test_id("trial-udp")).to_have_count(0)
    async with asyncio.timeout(WAIT_S):
        while await page.get_by_test_id("trial").get_attribute("data-verdict") != "good":
            if await page.get_by_test_id("trial").get_attribute("data-verdict") == "fault":
                await page.get_by_test_id("trial-again").click()
            await asyncio.sleep(0.2)
