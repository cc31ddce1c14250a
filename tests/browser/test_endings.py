"""Every way not to be in the meeting has a screen that says why, and a way back where there is one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import WebSocketRoute, expect

from meetctl.rooms import Rooms
from meetctl.settings import LiveKitCredentials
from meetctl.web.invites import Comer, ConnectionDetails, Invites, Role
from meetctl.web.server import PageServer
from tests.browser.conftest import INFO, OpenPage
from tests.browser.test_join_page import join


@pytest.mark.parametrize("fragment", ["", "#invite=", "#invite=nobody"])
async def test_a_link_with_a_wrong_invite_says_so_at_once(
    page_server: PageServer, open_page: OpenPage, fragment: str
) -> None:
    page = await open_page(f"{page_server.url}/{fragment}")
    await expect(page.get_by_test_id("screen-wrong-invite")).to_be_visible()


async def test_a_link_that_has_run_out_and_one_that_another_browser_used_each_say_so(
    page_server: PageServer, open_page: OpenPage
) -> None:
    links = page_server.links
    once = links.personal("Bob", Role.GUEST, once=True)
    first = links.comer(once.get_secret_value(), "1" * 32)
    assert isinstance(first, Comer) and links.use(first)
    page = await open_page(page_server.link_of(once))
    await expect(page.get_by_test_id("screen-used")).to_be_visible()
    await page.goto("about:blank")
    await page.goto(page_server.link_of(links.personal("Bob", Role.GUEST, expires_s=0.0)))
    await expect(page.get_by_test_id("screen-expired")).to_be_visible()


async def test_an_invite_revoked_between_opening_and_joining_says_so(
    page_server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page(page_server.join_link())
    await page.get_by_test_id("prejoin-name").fill("Bob")
    page_server.revoke()
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("screen-wrong-invite")).to_be_visible()


async def test_a_deleted_room_is_a_closed_meeting(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, room_name: str
) -> None:
    page = await open_page(page_server.join_link())
    await join(page, "Bob")
    async with Rooms(livekit_server) as rooms:
        await rooms.delete(room_name)
    await expect(page.get_by_test_id("screen-closed")).to_be_visible()
    page_server.close()
    await page.get_by_test_id("rejoin-button").click()
    await expect(page.get_by_test_id("screen-closed")).to_be_visible()


async def test_a_link_of_a_meeting_whose_server_is_gone_says_that_it_is_over(
    page_server: PageServer, open_page: OpenPage
) -> None:
    page = await open_page(page_server.join_link())
    await page.get_by_test_id("prejoin-name").fill("Bob")
    await page_server.__aexit__(None, None, None)
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("screen-closed")).to_be_visible()


async def test_whoever_is_removed_is_told_and_may_ask_to_come_back(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, room_name: str
) -> None:
    page = await open_page(page_server.join_link())
    await join(page, "Bob")
    async with Rooms(livekit_server) as rooms:
        await rooms.remove(room_name, "person-1")
    await expect(page.get_by_test_id("screen-removed")).to_be_visible()
    await page.get_by_test_id("rejoin-button").click()
    await expect(page.get_by_test_id("prejoin-name")).to_have_value("Bob")
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


async def test_a_name_is_asked_for_and_remembered(page_server: PageServer, open_page: OpenPage) -> None:
    page = await open_page(page_server.join_link())
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("name-wrong")).to_be_visible()
    await expect(page.get_by_test_id("prejoin-name")).to_be_focused()
    await join(page, "Bob")
    await page.reload()
    await expect(page.get_by_test_id("prejoin-name")).to_have_value("Bob")


async def test_without_a_microphone_the_reason_is_shown_and_one_can_still_listen(
    page_server: PageServer, open_page: OpenPage
) -> None:
    # This browser has devices for whoever asks; one that refuses is what the page must be able to live with.
    refuse = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"))"""
    page = await open_page(page_server.join_link(), before=refuse)
    await expect(page.get_by_test_id("microphone-fault")).to_contain_text("allow it")
    await page.get_by_test_id("prejoin-name").fill("Bob")
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("screen-no-microphone")).to_be_visible()
    await page.get_by_test_id("try-microphone").click()
    await expect(page.get_by_test_id("screen-no-microphone")).to_be_visible()
    await page.get_by_test_id("join-listening").click()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    await expect(page.get_by_test_id("microphone-toggle")).to_have_attribute("aria-pressed", "false")
    await page.get_by_test_id("microphone-toggle").click()
    await expect(page.get_by_test_id("device-fault")).to_contain_text("microphone")


async def test_a_machine_without_any_device_can_still_join(page_server: PageServer, open_page: OpenPage) -> None:
    none = """
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotFoundError"));
        navigator.mediaDevices.enumerateDevices = () => Promise.resolve([]);
    """
    page = await open_page(page_server.join_link(), before=none)
    await expect(page.get_by_test_id("microphone-fault")).to_contain_text("None was found")
    await page.get_by_test_id("prejoin-microphone").click()
    await join(page, "Bob")


async def test_a_meeting_whose_servers_are_all_gone_is_over_for_whoever_is_in_it(
    page_server: PageServer, open_page: OpenPage
) -> None:
    lines: list[WebSocketRoute] = []
    gone = False

    async def connect(line: WebSocketRoute) -> None:
        if gone:
            await line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    page = await open_page("about:blank")
    await page.route_web_socket(re.compile("/rtc"), connect)
    await page.goto(page_server.join_link())
    await join(page, "Bob")
    assert lines
    gone = True
    await page_server.__aexit__(None, None, None)
    for line in lines:
        await line.close()
    await expect(page.get_by_test_id("screen-closed")).to_be_visible()


async def test_the_tab_of_an_earlier_meeting_says_that_its_link_lets_nobody_in(
    built_page: None, open_page: OpenPage
) -> None:
    async def admit(name: str, comer: Comer) -> ConnectionDetails:
        raise NotImplementedError

    def meeting(room: str, port: int = 0) -> PageServer:
        return PageServer(
            room=room,
            livekit_url="ws://127.0.0.1:9",
            invites=Invites.create(),
            admit=admit,
            info=lambda: INFO,
            port=port,
        )

    async with meeting("yesterday") as yesterday:
        page = await open_page(yesterday.join_link())
        await page.get_by_test_id("prejoin-name").fill("Bob")
        port = urlsplit(yesterday.url).port or 0
    async with meeting("today", port):
        await page.get_by_test_id("join-button").click()
        await expect(page.get_by_test_id("screen-wrong-invite")).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("screen-wrong-invite")).to_be_visible()
        await expect(page.locator("body")).not_to_contain_text("today")
