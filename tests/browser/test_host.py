"""A host directs the agents from the page; a guest finds nothing to do so with."""

from __future__ import annotations

from playwright.async_api import expect

from meetctl.errors import NotRunningError
from meetctl.web.direction import Directive
from meetctl.web.invites import Role
from meetctl.web.server import PageServer
from tests.browser.conftest import Desk, OpenPage
from tests.browser.test_join_page import join


async def test_a_host_asks_says_tells_mutes_and_gives_the_floor_and_a_guest_cannot(
    page_server: PageServer, open_page: OpenPage, desk: Desk
) -> None:
    guest = await open_page(page_server.join_link())
    await join(guest, "Bob")
    await expect(guest.get_by_test_id("settings-toggle")).to_be_visible()
    await expect(guest.get_by_test_id("host-toggle")).to_have_count(0)

    page = await open_page(page_server.join_link(Role.HOST))
    await join(page, "Zoë")
    await page.get_by_test_id("host-toggle").click()
    await expect(page.get_by_test_id("host-words")).to_be_focused()
    standing = page.get_by_test_id("host-standing")
    await expect(standing).to_have_text(["Has the floor", "Ready", "Coming back", "Listens only"])

    await page.keyboard.type("What is still open?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("host-words")).to_have_value("")
    await page.get_by_test_id("host-say").check()
    await page.get_by_test_id("host-agent-select").select_option("max")
    await page.get_by_test_id("host-words").fill("Good morning.")
    await page.get_by_test_id("host-send").click()
    await expect(page.get_by_test_id("host-words")).to_have_value("")
    await page.get_by_test_id("host-tell").check()
    await expect(page.get_by_test_id("host-agent-select")).to_have_count(0)
    await page.get_by_test_id("host-words").fill("The launch moved to Monday.")
    await page.get_by_test_id("host-send").click()
    await expect(page.get_by_test_id("host-words")).to_have_value("")

    await page.get_by_role("button", name="Give Max the floor").click()
    await expect(standing).to_have_text(["Ready", "Has the floor", "Coming back", "Listens only"])
    await page.get_by_role("button", name="Mute Ada", exact=True).click()
    await expect(standing).to_have_text(["Muted", "Has the floor", "Coming back", "Listens only"])
    await expect(page.get_by_role("button", name="Give Ada the floor")).to_be_disabled()
    await page.get_by_role("button", name="Unmute Ada").click()
    await expect(standing).to_have_text(["Ready", "Has the floor", "Coming back", "Listens only"])
    assert desk.asked == [
        (Directive.ASK, "ada", "What is still open?"),
        (Directive.SAY, "max", "Good morning."),
        (Directive.TELL, "", "The launch moved to Monday."),
        (Directive.FLOOR, "max", ""),
        (Directive.MUTE, "ada", ""),
        (Directive.UNMUTE, "ada", ""),
    ]

    desk.muted.add("max")  # somebody else did, from the command line
    await expect(standing.nth(1)).to_have_text("Muted")
    desk.refusal = NotRunningError("the chair of standup is backoff")
    await page.get_by_test_id("host-words").fill("Anybody there?")
    await page.get_by_test_id("host-send").click()
    await expect(page.get_by_test_id("host-fault")).to_have_text("the chair of standup is backoff")
    await expect(page.get_by_test_id("host-words")).to_have_value("Anybody there?")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("host-toggle")).to_be_focused()
