"""Pictures of the page for a person to look at: every screen, wide and narrow, light and dark."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from meetctl.errors import NotRunningError
from meetctl.settings import LiveKitCredentials
from meetctl.web.invites import Role
from meetctl.web.server import PageServer
from testing.browser.cast import FINAL, FakeAgent
from testing.fixtures.livekit import MintToken
from tests.browser.conftest import Desk, OpenPage
from tests.browser.test_join_page import join

PICTURES = Path(__file__).parents[2] / "artifacts" / "page"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
AXE = """async () => {
    const ending = document.getAnimations().filter((one) => one.effect.getTiming().iterations === 1);
    await Promise.allSettled(ending.map((one) => one.finished));
    const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { violations } = await axe.run(document, { runOnly: rules });
    return violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html.slice(0, 120)} ${node.failureSummary}`));
}"""
"""Runs the rules of WCAG 2.2 AA once colours have stopped changing."""


ACCESSIBLE = {("desktop", "light"), ("phone", "dark")}
"""Where the rules are run: each width and each scheme is seen once."""


async def picture(page: Page, name: str, axe: str, *, kept: bool) -> None:
    """Asserts that the page fits at both widths in both schemes and that everybody can read and use it."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        for width, size in (("desktop", DESKTOP), ("phone", PHONE)):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} at {width} is {overflow} px too wide"
            if (width, scheme) in ACCESSIBLE:
                await page.evaluate(f"window.axe ||= (() => {{ {axe}; return window.axe; }})()")
                found = await page.evaluate(AXE)
                assert found == [], f"{name} at {width} in {scheme}"
            if kept:
                await page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png")
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", [False, pytest.param(True, marks=pytest.mark.soak, id="kept-to-look-at")])
async def test_every_screen_fits_wide_and_narrow_in_light_and_dark(
    page_server: PageServer,
    open_page: OpenPage,
    livekit_server: LiveKitCredentials,
    mint_token: MintToken,
    axe: str,
    desk: Desk,
    kept: bool,
) -> None:
    seen = partial(picture, axe=axe, kept=kept)
    async with AsyncExitStack() as stack:

        async def agent(identity: str, name: str, face: tuple[int, int, int] | None = None) -> FakeAgent:
            token = mint_token(identity, name=name, role="agent")
            return await stack.enter_async_context(FakeAgent(livekit_server.url, token, face=face))

        ada = await agent("ada", "Ada", (96, 124, 148))
        max_ = await agent("max", "Max")
        lin = await agent("lin", "Lin", (150, 120, 96))
        chair = await stack.enter_async_context(
            FakeAgent(livekit_server.url, mint_token("chair", name="Chair", role="chair"), voice=False)
        )
        zoe = await open_page(page_server.join_link())
        await join(zoe, "Zoë")
        page = await open_page(page_server.join_link(Role.HOST))
        await expect(page.get_by_test_id("prejoin-name")).to_be_focused()
        await page.get_by_test_id("prejoin-name").fill("Robin")
        await seen(page, "prejoin")
        await page.get_by_test_id("prejoin-camera").click()
        await expect(page.get_by_test_id("camera-preview")).to_be_visible()
        await seen(page, "prejoin-camera")
        await join(page, "Robin")
        await ada.enter("listening")
        await lin.enter("thinking")
        await max_.enter("speaking")
        await chair.say("Max, are we ready to ship on Friday?", segment="q", speaker="person-1")
        stream = await max_.start_saying(
            "Nearly. The migration is the one step that we have not rehearsed", segment="a"
        )
        await expect(page.locator('[data-identity="max"][data-agent-state="speaking"]')).to_be_visible()
        for identity in ("ada", "lin"):
            await expect(page.locator(f'[data-identity="{identity}"] video')).to_be_visible()
        await seen(page, "conference")
        await stream.write(", so let us try it on a copy today.")
        await stream.aclose(attributes=FINAL)
        await max_.enter("listening")
        await ada.enter("speaking")
        await ada.say("I can prepare the copy in ten minutes. Rolling back is one command.", segment="b")
        await page.get_by_test_id("transcript-toggle").click()
        await seen(page, "transcript")
        await page.keyboard.press("Escape")
        await ada.chat("Runbook: steps 4 and 5 are the ones that need a second pair of eyes.")
        await page.get_by_test_id("chat-toggle").click()
        await page.get_by_test_id("chat-input").fill("Thanks! I will watch those two.")
        await page.get_by_test_id("chat-send").click()
        await expect(page.get_by_test_id("chat-message")).to_have_count(2)
        await seen(page, "chat")
        desk.muted.add("max")
        await page.get_by_test_id("host-toggle").click()
        await page.get_by_test_id("host-words").fill("Ada, please sum up what is left to do.")
        await expect(page.get_by_test_id("host-agent")).to_have_count(4)
        desk.refusal = NotRunningError("Lin is not ready: backoff")
        await page.get_by_test_id("host-send").click()
        await expect(page.get_by_test_id("host-fault")).to_be_visible()
        await seen(page, "host")
        await page.get_by_test_id("settings-toggle").click()
        await seen(page, "settings")
        await page.keyboard.press("Escape")
        await page.get_by_test_id("leave-button").click()
        await expect(page.get_by_test_id("screen-left")).to_be_visible()
        await seen(page, "left")
    wrong = await open_page(f"{page_server.url}/#invite=nobody")
    await expect(wrong.get_by_test_id("screen-wrong-invite")).to_be_visible()
    await seen(wrong, "wrong-invite")
