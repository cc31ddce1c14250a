"""A host manages people on the page; who was removed stays out, and an observer finds nothing to send with."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from testing.fixtures.command import Meetctl
from tests.browser.conftest import OpenPage
from tests.browser.test_join_page import join
from tests.browser.test_screenshots import picture
from tests.system.light import written


async def test_a_host_mutes_removes_and_locks_out_and_ends_it_for_everyone(
    built_page: None, meetctl: Meetctl, open_page: OpenPage, axe: str
) -> None:
    async def link(*arguments: str) -> str:
        return (await asyncio.to_thread(meetctl, "link", *arguments)).out.strip()

    assert (await asyncio.to_thread(meetctl, "up", written(meetctl, "managed"), "-d")).code == 0
    bob = await open_page(await link())
    await join(bob, "Bob")
    observer = await open_page(await link("--name", "Ida", "--role", "observer", "--once"))
    await expect(observer.get_by_test_id("observer")).to_be_visible()
    await expect(observer.get_by_test_id("prejoin-name")).to_have_value("Ida")
    await observer.get_by_test_id("join-button").click()
    await expect(observer.get_by_test_id("settings-toggle")).to_be_visible()
    await expect(observer.get_by_test_id("microphone-toggle")).to_have_count(0)
    await observer.get_by_test_id("chat-toggle").click()
    await expect(observer.get_by_test_id("chat-input")).to_have_count(0)

    host = await open_page(await link("--role", "host"))
    await join(host, "Hanna")
    await host.get_by_test_id("host-toggle").click()
    people = host.get_by_test_id("host-person")
    await expect(people).to_have_count(3)
    await expect(people.filter(has_text="Bob")).to_contain_text("microphone")
    await expect(people.filter(has_text="Ida")).to_contain_text("sends nothing")
    await host.get_by_role("button", name="Mute Bob").click()
    await expect(people.filter(has_text="Bob")).to_contain_text("sends nothing")
    await expect(bob.get_by_test_id("microphone-toggle")).to_have_attribute("aria-pressed", "false")

    await host.get_by_role("button", name="Ask Bob to unmute").click()
    await expect(observer.get_by_test_id("unmute-request")).to_have_count(0)
    await bob.get_by_test_id("unmute-later").click()
    await expect(bob.get_by_test_id("unmute-request")).to_have_count(0)
    await expect(bob.get_by_test_id("microphone-toggle")).to_have_attribute("aria-pressed", "false")
    assert "Bob is asked" in (await asyncio.to_thread(meetctl, "unmute", "Bob")).out
    await picture(bob, "unmute-request", axe, kept=False)
    await bob.get_by_test_id("unmute-now").click()
    await expect(bob.get_by_test_id("unmute-request")).to_have_count(0)
    await expect(people.filter(has_text="Bob")).to_contain_text("microphone")
    assert "Bob's microphone is on" in (await asyncio.to_thread(meetctl, "unmute", "Bob")).err
    assert "Ida is an observer" in (await asyncio.to_thread(meetctl, "unmute", "Ida")).err

    await host.get_by_role("button", name="Remove Bob").click()
    await expect(bob.get_by_test_id("screen-removed")).to_be_visible()
    await expect(people).to_have_count(2)
    await bob.get_by_test_id("rejoin-button").click()
    await expect(bob.get_by_test_id("screen-removed")).to_be_visible()
    await bob.reload()
    await expect(bob.get_by_test_id("screen-removed")).to_be_visible()

    await host.get_by_test_id("host-lock").click()
    await expect(host.get_by_test_id("host-lock")).to_have_attribute("aria-pressed", "true")
    late = await open_page(await link())
    await late.get_by_test_id("prejoin-name").fill("Lou")
    await late.get_by_test_id("join-button").click()
    await expect(late.get_by_test_id("screen-locked")).to_be_visible()

    await host.get_by_test_id("host-end").click()
    await host.get_by_test_id("host-end").click()
    for page in (host, observer):
        await expect(page.get_by_test_id("screen-closed")).to_be_visible()
