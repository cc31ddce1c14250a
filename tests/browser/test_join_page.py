"""The join page in a real Chromium against a real LiveKit server: people meet, hear, read and write."""

from __future__ import annotations

from playwright.async_api import Page, expect

from meetctl.web.server import PageServer
from tests.browser.conftest import OpenPage


async def join(page: Page, name: str) -> None:
    await page.get_by_test_id("prejoin-name").fill(name)
    await page.get_by_test_id("join-button").click()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


async def wait_until_heard(page: Page, identity: str) -> None:
    """Waits until sound of this person, decoded, moves the rings of their tile."""
    await page.wait_for_function(
        """(identity) => {
            const avatar = document.querySelector(`[data-testid="tile"][data-identity="${identity}"] .avatar`);
            return Number(avatar?.style.getPropertyValue("--level")) > 0;
        }""",
        arg=identity,
        polling="raf",
    )


async def test_two_people_who_open_the_link_see_and_hear_each_other(
    page_server: PageServer, open_page: OpenPage
) -> None:
    bob = await open_page(page_server.join_link())
    zoe = await open_page(page_server.join_link())
    await expect(bob.get_by_test_id("transcript-notice")).to_contain_text("transcribed and kept")
    await expect(bob.get_by_test_id("cast")).to_contain_text("Ada and Max")
    await zoe.get_by_test_id("prejoin-name").fill("Macks")
    await expect(zoe.get_by_test_id("sounds-like")).to_contain_text("sounds like Max, an AI agent here")
    await zoe.get_by_test_id("prejoin-name").fill("Zoë K.")
    await expect(zoe.get_by_test_id("sounds-like")).to_have_count(0)
    await join(bob, "Bob")
    await join(zoe, "Zoë K.")
    for page in (bob, zoe):
        await expect(page.get_by_test_id("tile")).to_have_count(2)
    await expect(bob.locator('[data-testid="tile"][data-identity="person-2"]')).to_contain_text("Zoë K.")
    await wait_until_heard(bob, "person-2")  # the fake microphone beeps
    await zoe.get_by_test_id("camera-toggle").click()
    await expect(bob.locator('[data-identity="person-2"] video')).to_be_visible()
