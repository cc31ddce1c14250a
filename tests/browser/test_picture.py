"""Picture truth as a person sees it: what the join page shows is what the face's server drew.

Pixels are read through a canvas, so colours have come the whole way: the browser's decoder, and its conversion to RGB.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from meetctl_agents.face.media.frames import Samples, frame_from_i420
from numpy.typing import NDArray

from meetctl.settings import LiveKitCredentials
from meetctl.web.server import PageServer
from testing.browser.likeness import placeholder_of
from testing.browser.visitor import SCRIPT, WITHIN_S, Picture, Visitor
from testing.face.pattern import draw, read
from testing.face.stage import NAME, pattern_simli, staged
from testing.fixtures.livekit import MintToken
from tests.browser.conftest import OpenPage
from tests.browser.test_join_page import join

WIDTH, HEIGHT = 512, 512
PICTURES = 20
NEAR = 12.0
"""Mean difference from the placeholder, of 255, that the encoder may make: 5 was seen of a first picture at a low rate;
a green one differs by more than 60."""
TRUE_DB = 35.0
"""Seen on busy cores: luma 40.9 to 43.5 at p5; RGB, where colours count as well, 40.7 and more in the middle."""
GREEN = 0.01
SIZES = """window.sizes = [];
addEventListener("resize", ({ target }) => {
  const { identity } = target.closest?.("[data-testid=tile]")?.dataset ?? {};
  if (identity === "ada") sizes.push([target.videoWidth, target.videoHeight]);
}, true);"""
"""Notes every size the face's video takes, the first before its first frame is shown."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A shown picture beside the source's own, dB."""

    luma: float
    rgb: float


def compared(shown: Picture, number: int) -> Truth:
    """Compares with the picture of that number; both as 8-bit RGB, where bright colours are clipped."""
    source = np.asarray(frame_from_i420(draw(number, WIDTH, HEIGHT)).to_ndarray(format="rgb24"), np.uint8)
    return Truth(psnr(luma_from_rgb(shown), luma_from_rgb(source)), psnr(shown, source))


async def numbered(person: Visitor) -> dict[int, Picture]:
    """Returns the next pictures of the source, by number; whatever else is shown must be the placeholder."""
    found: dict[int, Picture] = {}
    placeholder = placeholder_of(NAME).astype(float)
    async with asyncio.timeout(WITHIN_S):
        while len(found) < PICTURES:
            shown = await person.picture("ada")
            number = read(luma_from_rgb(shown), WIDTH, HEIGHT)
            if number is not None:
                found[number] = shown
            else:
                assert np.abs(shown - placeholder).mean() < NEAR
    return found


def luma_from_rgb(picture: NDArray[np.uint8]) -> Samples:
    """Returns BT.601 luma of limited range."""
    weights = np.array([65.481, 128.553, 24.966]) / 255
    return np.asarray(np.rint(16 + picture @ weights), np.uint8)


def psnr(seen: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    error = float(np.square(seen.astype(np.float32) - true).mean())
    return 99.0 if error < 1e-9 else float(10 * np.log10(255**2 / error))


async def test_the_join_page_shows_the_pictures_that_the_faces_server_drew(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    with pattern_simli("--codec", "vp8") as simli:
        page = await open_page(page_server.join_link(), before=SCRIPT + SIZES)
        person = Visitor(page)
        await join(page, "Bob")
        token = mint_token("ada", role="agent").get_secret_value()
        async with staged(livekit_server.url, token, simli.url):
            await person.page.wait_for_function("() => visitor.seen.ada?.frames > 0")
            shown = await numbered(person)
            seen = await person.seen("ada")
            sizes = await person.page.evaluate("sizes")
    truths = [compared(picture, number) for number, picture in shown.items()]
    p5 = np.percentile([truth.luma for truth in truths], 5)
    assert p5 >= TRUE_DB
    assert np.median([truth.rgb for truth in truths]) >= TRUE_DB
    assert {tuple(size) for size in sizes} == {(WIDTH, HEIGHT)} and seen.sizes == [f"{WIDTH}x{HEIGHT}"]
    assert seen.greenest < GREEN
