"""Whether a browser reaches the meeting: with what every browser needs it does, and else it says so before the join."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from meetctl.settings import LiveKitCredentials
from meetctl.web.invites import Comer, ConnectionDetails, Invites
from meetctl.web.server import PageServer
from testing.browser.cast import FakeAgent
from testing.browser.firefox_page import FirefoxPage
from testing.browser.visitor import CONNECTED, SCRIPT, Visitor
from testing.browser.window import OpenWindow, by_id
from testing.fixtures.livekit import MintToken
from tests.browser.conftest import INFO, OpenPage

HOURS_OFF = 8
WRONG_CLOCK = """
    const Right = Date;
    window.Date = class extends Right {{
        constructor(...given) {{ super(...(given.length ? given : [Right.now() + {ms}])); }}
        static now() {{ return Right.now() + {ms}; }}
    }};
"""
PLAYING = """() => {
    const sounds = [...document.querySelectorAll("audio")];
    return sounds.length > 0 && sounds.every((sound) => !sound.paused && sound.currentTime > 0);
}"""


async def test_who_only_listens_hears_an_agent_without_another_click(
    page_server: PageServer, open_window: OpenWindow, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    # Without the microphone Firefox looks at fewer addresses, and plays only after a click.
    async with FakeAgent(livekit_server.url, mint_token("ada", name="Ada", role="agent"), face=(96, 124, 148)) as ada:
        person = Visitor(await open_window(page_server.join_link(), before=SCRIPT))
        await person.page.click(by_id("prejoin-microphone"))
        await person.page.fill(by_id("prejoin-name"), "Zoë")
        await person.page.click(by_id("join-button"))
        await person.wait_for(CONNECTED)
        await ada.enter("speaking")
        await person.wait_for_voice("ada", 0)
        await person.wait_for(PLAYING)
        await person.wait_for("() => visitor.seen.ada?.frames > 3")
        assert (await person.seen("ada")).greenest == 0
        await person.wait_for("() => !document.querySelector('.start-audio')?.checkVisibility()")


@pytest.mark.parametrize("hours", [-HOURS_OFF, HOURS_OFF])
async def test_a_browser_whose_clock_is_wrong_by_hours_joins_and_writes(
    page_server: PageServer, open_window: OpenWindow, hours: int
) -> None:
    # Longer than a token is good for: whoever judged that by the browser's clock would find it over, or not begun.
    page = await open_window(page_server.join_link(), before=WRONG_CLOCK.format(ms=hours * 3_600_000))
    assert abs(await page.evaluate("Date.now()") / 1000 - time.time() - hours * 3600) < 600
    await page.fill(by_id("prejoin-name"), "Zoë")
    await page.click(by_id("join-button"))
    await page.wait_for_function(CONNECTED)
    assert await page.evaluate(CONNECTED)


async def test_firefox_says_before_the_join_that_a_meeting_on_loopback_alone_is_none_for_it(
    built_page: None, open_window: OpenWindow
) -> None:
    async with loopback_only() as server:
        page = await open_window(server.join_link())
        await page.wait_for_function("(name) => document.querySelector(name)", arg=by_id("join-button"))
        if isinstance(page, FirefoxPage):
            await page.wait_for_function("() => document.querySelector('[data-obstacle=loopback-only]')")
        else:
            assert await page.evaluate("document.querySelector('[data-obstacle]')") is None


@pytest.mark.parametrize(
    ("lacking", "obstacle"),
    [
        ("delete window.RTCPeerConnection; delete window.webkitRTCPeerConnection", "no-webrtc"),
        ("RTCPeerConnection.prototype.setLocalDescription = async () => {}", "no-network"),
    ],
    ids=["no-webrtc", "no-network"],
)
async def test_a_browser_without_webrtc_or_network_says_before_the_join_what_to_change(
    page_server: PageServer, open_page: OpenPage, lacking: str, obstacle: str
) -> None:
    page = await open_page(page_server.join_link(), before=lacking)
    await expect(page.get_by_test_id("obstacle")).to_have_attribute("data-obstacle", obstacle)
    await expect(page.get_by_test_id("join-button")).to_be_enabled()


def loopback_only() -> PageServer:
    async def admit(name: str, comer: Comer) -> ConnectionDetails:
        raise NotImplementedError

    return PageServer(
        room="standup",
        livekit_url="ws://127.0.0.1:7880",
        invites=Invites.create(),
        admit=admit,
        info=lambda: {**INFO, "loopback_only": True},
    )
