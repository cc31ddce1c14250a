"""What a person sees of the agents, and the words that go to and fro."""

from __future__ import annotations

from playwright.async_api import expect

from meetctl.settings import LiveKitCredentials
from meetctl.web.server import PageServer
from testing.browser.cast import FINAL, FakeAgent
from testing.fixtures.livekit import MintToken
from tests.browser.conftest import OpenPage
from tests.browser.test_join_page import join, wait_until_heard


async def test_an_agents_tile_follows_its_state_its_picture_and_its_voice(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    ada_token, max_token = mint_token("ada", name="Ada", role="agent"), mint_token("max", name="Max", role="agent")
    async with (
        FakeAgent(livekit_server.url, ada_token, face=(96, 124, 148)) as ada,
        FakeAgent(livekit_server.url, max_token) as max_,
        FakeAgent(livekit_server.url, mint_token("chair", role="chair"), voice=False),
    ):
        page = await open_page(page_server.join_link())
        await join(page, "Bob")
        await expect(page.get_by_test_id("tile")).to_have_count(3)  # Ada, Max, Bob; the chair is not seen
        tile = page.locator('[data-testid="tile"][data-identity="max"]')
        await expect(tile).to_have_attribute("data-agent-state", "")
        for state, word in (("initializing", "Getting ready"), ("listening", "Listening"), ("thinking", "Thinking")):
            await max_.enter(state)
            await expect(tile).to_have_attribute("data-agent-state", state)
            await expect(tile).to_contain_text(word)
        await max_.uses("search")
        await expect(tile).to_contain_text("search…")
        await max_.uses("")
        await expect(tile).to_contain_text("Thinking")
        await max_.enter("speaking")
        await expect(tile).to_have_attribute("data-agent-state", "speaking")
        await wait_until_heard(page, "max")
        await ada.enter("listening")
        await page.wait_for_function(
            """() => {
                const video = document.querySelector('[data-identity="ada"] video');
                return video && video.videoWidth > 0 && video.currentTime > 0;
            }"""
        )


async def test_words_appear_as_they_are_said_in_the_speakers_name_and_become_final(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    async with (
        FakeAgent(livekit_server.url, mint_token("ada", name="Ada", role="agent")) as ada,
        FakeAgent(livekit_server.url, mint_token("chair", role="chair"), voice=False) as chair,
    ):
        page = await open_page(page_server.join_link())
        await join(page, "Bob")
        await chair.say("Ada, what is", segment="q", final=False, speaker="person-1")
        question = page.locator('[data-testid="caption"][data-identity="person-1"]')
        await expect(question).to_have_attribute("data-final", "false")
        await chair.say("Ada, what is new?", segment="q", speaker="person-1")
        await expect(question).to_have_attribute("data-final", "true")
        await expect(question).to_have_text("Bob Ada, what is new?")
        stream = await ada.start_saying("The build", segment="a")
        answer = page.locator('[data-testid="caption"][data-identity="ada"]')
        await expect(answer).to_have_text("Ada The build")
        await expect(answer).to_have_attribute("data-final", "false")
        await stream.write(" is green.")
        await expect(answer).to_have_text("Ada The build is green.")
        await stream.aclose(attributes=FINAL)
        await expect(answer).to_have_attribute("data-final", "true")
        await expect(page.get_by_test_id("caption-logged")).to_have_text(
            ["Bob: Ada, what is new?", "Ada: The build is green."]
        )
        await page.get_by_test_id("transcript-toggle").click()
        await expect(page.get_by_test_id("transcript-line")).to_have_text(["Ada, what is new?", "The build is green."])


async def test_chat_goes_both_ways_and_counts_what_was_not_read(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    async with FakeAgent(livekit_server.url, mint_token("ada", name="Ada", role="agent")) as ada:
        heard = ada.listen_to_chat()
        page = await open_page(page_server.join_link())
        await join(page, "Bob")
        await expect(page.get_by_test_id("tile")).to_have_count(2)
        await ada.chat("Hello Bob")
        await expect(page.get_by_role("button", name="Chat, 1 unread")).to_be_visible()
        await page.get_by_test_id("chat-toggle").click()
        await expect(page.locator('[data-testid="chat-message"][data-identity="ada"]')).to_contain_text("Hello Bob")
        await expect(page.get_by_test_id("chat-input")).to_be_focused()
        await page.keyboard.type("Hi <b>Ada</b>")
        await page.keyboard.press("Enter")
        await expect(page.locator('[data-testid="chat-message"][data-own="true"]')).to_contain_text("Hi <b>Ada</b>")
        assert await heard == ("person-1", "Hi <b>Ada</b>")


async def test_a_shared_screen_takes_the_middle(page_server: PageServer, open_page: OpenPage) -> None:
    bob, zoe = await open_page(page_server.join_link()), await open_page(page_server.join_link())
    await join(bob, "Bob")
    await join(zoe, "Zoë")
    await bob.get_by_test_id("screen-toggle").click()
    await expect(zoe.get_by_test_id("shared-screen")).to_contain_text("Bob shares a screen")
    await expect(bob.get_by_test_id("shared-screen")).to_contain_text("You are sharing")
    await bob.get_by_test_id("screen-toggle").click()
    await expect(zoe.get_by_test_id("shared-screen")).to_have_count(0)


async def test_a_person_without_a_mouse_joins_talks_and_leaves(page_server: PageServer, open_page: OpenPage) -> None:
    page = await open_page(page_server.join_link())
    await expect(page.get_by_test_id("prejoin-name")).to_be_focused()
    await page.keyboard.type("Bob")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    microphone = page.get_by_test_id("microphone-toggle")
    await expect(microphone).to_have_attribute("aria-pressed", "true")
    await microphone.focus()
    await page.keyboard.press("Space")
    await expect(microphone).to_have_attribute("aria-pressed", "false")
    seen = []
    for _ in range(5):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate("document.activeElement.dataset.testid"))
    assert seen == ["camera-toggle", "screen-toggle", "chat-toggle", "transcript-toggle", "settings-toggle"]
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("settings-panel")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("settings-panel")).to_have_count(0)
    await expect(page.get_by_test_id("settings-toggle")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("screen-left")).to_be_visible()
    await expect(page.get_by_role("heading", name="You left the meeting")).to_be_focused()
