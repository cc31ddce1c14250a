"""The whole-meeting test's own eyes and ears: what they would have to notice, they do notice."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from livekit import rtc

from meetctl.settings import LiveKitCredentials
from meetctl.web.server import PageServer
from tests.browser.cast import FPS, SIZE, FakeAgent
from tests.browser.conftest import OpenPage
from tests.browser.visitor import QUIET, SCRIPT, SPEECH_RATE, Visitor
from tests.fixtures.livekit import MintToken

pytestmark = [pytest.mark.browser, pytest.mark.system]


class GreenAgent(FakeAgent):
    """Sends what a decoder makes of nothing: all planes zero."""

    async def _draw(self, source: rtc.VideoSource, colour: tuple[int, int, int]) -> None:
        nothing = bytes(SIZE * SIZE * 3 // 2)
        while True:
            source.capture_frame(rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, nothing))
            await asyncio.sleep(1 / FPS)


async def test_a_green_picture_is_noticed_and_each_sound_is_booked_to_whom_it_comes_from(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    url = livekit_server.url
    async with (
        GreenAgent(url, mint_token("ada", name="Ada", role="agent"), face=(0, 0, 0)) as ada,
        FakeAgent(url, mint_token("max", name="Max", role="agent")),
    ):
        robin = Visitor(await open_page(page_server.join_link(), before=SCRIPT))
        zoe = Visitor(await open_page(page_server.join_link(), before=SCRIPT))
        await zoe.join("Zoe")
        await robin.join("Robin")
        await ada.enter("speaking")
        await robin.wait_for_voice("ada", 0)
        assert max(await robin.levels("max", 0)) < QUIET
        await ada.enter("listening")
        began = await zoe.now()
        await robin.say(tone(300))
        await robin.page.wait_for_function("() => visitor.seen.ada?.frames > 0")
        seen = await robin.seen("ada")
        assert (seen.greenest, round(seen.flattest)) == (1, 0)
        await zoe.wait_for_voice(robin.identity, began)
        assert max(await zoe.levels("max", began)) < QUIET


def tone(hertz: float) -> bytes:
    """Returns a second of it."""
    wave = np.sin(2 * np.pi * hertz * np.arange(SPEECH_RATE) / SPEECH_RATE)
    return (wave * 8000).astype("<i2").tobytes()
