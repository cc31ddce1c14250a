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

from testing.browser.signals import Signals
from testing.browser.window import Window, by_id

SCRIPT = (Path(__file__).parent / "visitor.js").read_text(encoding="utf-8")
"""To be put into the page before it loads."""
SPEECH_RATE = 24_000
"""Of the local voice, Hz."""
LOUD = 0.01
"""Root mean square, 1 being full scale: voices of the meeting lie above it, most of the time."""
QUIET = 0.004
"""Whoever says nothing stays below; measured: digital silence."""
CONNECTED = """() => document.querySelector("[data-testid=connection]")?.dataset.state === 'connected'"""
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

    def __init__(self, page: Window) -> None:
        self.page = page
        self.signals = Signals(page)
        self.name = ""

    @property
    def identity(self) -> str:
        return self.signals.identity

    async def join(self, name: str) -> None:
        """Joins, and waits until the microphone has a listener."""
        self.name = name
        await self.page.fill(by_id("prejoin-name"), name)
        await self.page.click(by_id("join-button"))
        await self.wait_for(CONNECTED)
        await self.signals.wait_until_heard(WITHIN_S)

    async def wait_for(self, condition: str, arg: object = None) -> None:
        """Waits until this expression, or function of the argument, is true in the page."""
        await self.page.wait_for_function(condition, arg=arg, timeout=WITHIN_S * 1000)

    async def state(self, identity: str) -> str:
        """Returns what that agent says it does, empty where it says nothing."""
        tile = f'{by_id("tile")}[data-identity="{identity}"]'
        return str(await self.page.evaluate("(tile) => document.querySelector(tile).dataset.agentState", tile))

    async def wait_for_state(self, identity: str, state: str) -> None:
        """Waits until that agent says that it does this."""
        async with asyncio.timeout(WITHIN_S):
            while await self.state(identity) != state:
                await asyncio.sleep(0.1)

    async def logged(self, identity: str) -> list[str]:
        """Returns the words of that participant's final captions, and who the page says spoke them: `Name: words`."""
        logged = f'{by_id("caption-logged")}[data-identity="{identity}"]'
        texts = "(logged) => [...document.querySelectorAll(logged)].map((it) => it.textContent)"
        return list(await self.page.evaluate(texts, logged))

    async def wait_for_words(self, identity: str, count: int, within: float = WITHIN_S) -> list[str]:
        """Returns that participant's captions once there are so many."""
        async with asyncio.timeout(within):
            while len(words := await self.logged(identity)) < count:
                await asyncio.sleep(0.1)
        return words

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

    async def last_heard(self, identity: str) -> float:
        """Returns when, by the page's clock, that participant was loud last; 0 where never."""
        heard = await self.page.evaluate("visitor.heard")
        return max(
            (at for sid, at, level in heard if level > LOUD and self.signals.identities.get(sid) == identity),
            default=0.0,
        )

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
