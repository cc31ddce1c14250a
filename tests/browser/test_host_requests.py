"""A host allows and refuses what agents ask for, on the page; a guest sees nothing of it and can do nothing."""

from __future__ import annotations

from playwright.async_api import expect

from meetctl.meeting.host_requests import HostDecision, HostRequests
from meetctl.web.invites import Role
from meetctl.web.server import PageServer
from tests.browser.conftest import Desk, OpenPage
from tests.browser.test_join_page import join


async def test_a_host_allows_and_denies_side_by_side_and_what_is_over_goes_and_a_guest_cannot(
    page_server: PageServer, open_page: OpenPage, desk: Desk
) -> None:
    guest = await open_page(page_server.join_link())
    await join(guest, "Bob")
    page = await open_page(page_server.join_link(Role.HOST))
    await join(page, "Zoë")
    requests = page.get_by_test_id("host-request")
    await expect(requests).to_have_count(0)

    desk.wants("1", "send", '{"to": "<b>sam</b>", "text": "Hello"}')
    desk.wants("2", "search", "{}")
    desk.wants("3", "send", "{}")
    await expect(requests).to_have_count(3)
    await expect(requests.nth(0)).to_contain_text("Ada wants to use send")
    await expect(requests.nth(0).locator("pre")).to_have_text('{"to": "<b>sam</b>", "text": "Hello"}')

    await page.get_by_role("button", name="Deny Ada search, request 2").click()
    await expect(requests).to_have_count(2)
    await page.get_by_role("button", name="Allow Ada send, request 1").click()
    await expect(requests).to_have_count(1)
    assert desk.decided == [("2", False, "Zoë"), ("1", True, "Zoë")]

    desk.requests.clear()  # nobody decided in time, or somebody did elsewhere
    await expect(page.get_by_test_id("host-requests")).to_have_count(0)

    desk.wants("4", "send", "{}")
    await expect(requests).to_have_count(1)
    await expect(guest.get_by_test_id("host-requests")).to_have_count(0)
    invite = page_server.join_link().partition("#invite=")[2]
    refused = await guest.evaluate(
        """async (invite) => (await fetch("/api/requests", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({invite, id: "4", allowed: true}),
        })).status""",
        invite,
    )
    assert refused == 403
    assert len(desk.decided) == 2


async def test_what_nobody_decides_in_time_goes_by_itself_and_what_has_time_left_can_still_be_allowed(
    page_server: PageServer, open_page: OpenPage, desk: Desk
) -> None:
    guest = await open_page(page_server.join_link())
    await join(guest, "Bob")
    page = await open_page(page_server.join_link(Role.HOST))
    await join(page, "Zoë")
    decided: list[tuple[str, HostDecision]] = []
    desk.clock = clock = HostRequests(lambda name, error: None)

    def wants(what: str, within_s: float) -> None:
        async def told(decision: HostDecision) -> None:
            decided.append((what, decision))

        clock.ask("tool", identity="ada", name="Ada", what=what, detail="{}", within_s=within_s, decided=told)

    wants("send", 60)
    requests = page.get_by_test_id("host-request")
    await expect(requests).to_have_count(1)
    wants("search", 10)
    await expect(requests).to_have_count(2)
    await expect(requests).to_have_count(1)
    await expect(requests.nth(0)).to_contain_text("Ada wants to use send")
    assert decided == [("search", HostDecision(False, ""))]
    await expect(guest.get_by_test_id("host-requests")).to_have_count(0)
    await page.get_by_role("button", name="Allow Ada send, request 1").click()
    await expect(page.get_by_test_id("host-requests")).to_have_count(0)
    assert decided[1:] == [("send", HostDecision(True, "Zoë"))]
    await clock.aclose()
