"""A person in the meeting: a page whose microphone says what the test wants, and what that person hears and sees.

Only the microphone is made up. The page, its WebRTC and everything behind it are the real ones.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Locator, Page, expect

from tests.browser.signals import Signals

SCRIPT = (Path(__file__).parent / "visitor.js").read_text(encoding="utf-8")
"""To be put into the page before it loads."""
SPEECH_RATE = 24_000
"""Of the local voice, Hz."""
LOUD = 0.01
"""Root mean square, 1 being full scale: voices of the meeting lie above it, most of the time."""
QUIET = 0.004
"""Whoever says nothing stays below; measured: digital silence."""
WITHIN_S = 90.0
"""A bound, not a figure: an answer takes a second on idle cores, and ten were seen on busy ones."""

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All frames of one video, as they were shown."""

    frames: int
    flattest: float
    """The least contrast of a frame: the standard deviation of its luminance, 0 to 127."""
    greenest: float
    """The largest share of a frame that was the green of missing chroma."""
    sizes: list[str]


class Visitor:
    """Somebody on the join page; made when the page has loaded, before it joins."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.signals = Signals(page)

    @property
    def identity(self) -> str:
        return self.signals.identity

    async def join(self, name: str) -> None:
        """Joins, and waits until the microphone has a listener."""
        await self.page.get_by_test_id("prejoin-name").fill(name)
        await self.page.get_by_test_id("join-button").click()
        await expect(self.page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
        await self.signals.wait_until_heard(WITHIN_S)

    def tile(self, identity: str) -> Locator:
        return self.page.locator(f'[data-testid="tile"][data-identity="{identity}"]')

    def logged(self, identity: str) -> Locator:
        """Returns that participant's final captions, each as `Name: words`."""
        return self.page.locator(f'[data-testid="caption-logged"][data-identity="{identity}"]')

    async def now(self) -> float:
        """Returns the page's clock, milliseconds."""
        return float(await self.page.evaluate("visitor.now()"))

    async def say(self, samples: bytes) -> None:
        """Says this aloud: 16-bit mono samples at `SPEECH_RATE`."""
        spoken = base64.b64encode(samples).decode()
        await self.page.evaluate("([samples, rate]) => visitor.say(samples, rate)", [spoken, SPEECH_RATE])

    async def levels(self, identity: str, since: float) -> list[float]:
        """Returns how loud that participant was, every 40 ms since that time of the page's clock."""
        heard = await self.page.evaluate("(since) => visitor.heard.filter(([, at]) => at >= since)", since)
        return [level for sid, _, level in heard if self.signals.identities.get(sid) == identity]

    async def wait_for_voice(self, identity: str, since: float, within: float = WITHIN_S) -> None:
        """Waits until that participant has been heard since that time."""
        async with asyncio.timeout(within):
            while max(await self.levels(identity, since), default=0.0) < LOUD:
                await asyncio.sleep(0.1)

    async def wait_for_silence(self, seconds: float = 1.5) -> None:
        """Waits until nobody has been heard for so long, longer than anybody pauses between two sentences."""
        quiet = """([span, quiet]) => visitor.heard.length > 0 &&
            visitor.heard.filter(([, at]) => at > visitor.now() - span).every(([, , level]) => level < quiet)"""
        await self.page.wait_for_function(quiet, arg=[seconds * 1000, QUIET], timeout=WITHIN_S * 1000)

    async def picture(self, identity: str, skip: int = 1) -> Picture:
        """Returns a decoded frame of that participant's video, of the size it came in, after letting some pass."""
        arguments = [identity, skip]
        taken = await self.page.evaluate("([identity, skip]) => visitor.picture(identity, skip)", arguments)
        pixels = np.frombuffer(base64.b64decode(taken["rgba"]), np.uint8)
        return pixels.reshape(taken["height"], taken["width"], 4)[..., :3]

    async def seen(self, identity: str) -> Seen:
        """Returns what was noted of every frame of that participant's video so far."""
        return Seen(**await self.page.evaluate("(identity) => visitor.seen[identity]", identity))
