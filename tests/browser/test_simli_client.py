"""Simli's own browser client, as published, in a real Chromium against the local Simli server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from meetctl.settings import LiveKitCredentials
from testing.fixtures.simli import running_simli
from testing.simli.clients import all_sessions_closed, see_and_hear_the_face, usage
from tests.browser.simli_page import FacePage, build_client, serving

KEY, FACE = "the-key", "ada"
SIZE = "512x512"
MODES = ("p2p", "livekit")


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simli-client") / "client.js"
    build_client(path)
    return path


@pytest.fixture(scope="module")
def server(livekit_server: LiveKitCredentials, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that knows one key and one face, and has a LiveKit server for sessions in rooms."""
    directory = tmp_path_factory.mktemp("simli")
    keys, access = directory / "keys", directory / "livekit.json"
    secret = livekit_server.api_secret.get_secret_value()
    for path, text in (
        (keys, f"{KEY}\n"),
        (access, json.dumps({"url": livekit_server.url, "api_key": livekit_server.api_key, "api_secret": secret})),
    ):
        path.touch(mode=0o600)
        path.write_text(text)
    with running_simli("--keys-file", str(keys), "--face-id", FACE, "--livekit-file", str(access)) as url:
        yield url


@pytest.fixture
async def page(script: Path, chromium: Browser) -> AsyncIterator[FacePage]:
    async with serving(script) as url:
        page = await chromium.new_page()
        await page.goto(url)
        yield FacePage(page)
        await page.close()


@pytest.mark.parametrize("mode", MODES)
async def test_the_published_browser_client_shows_the_face_speaks_through_it_and_leaves_nothing(
    server: str, page: FacePage, mode: str
) -> None:
    assert await page.open(server, KEY, FACE, mode) == ""
    assert await usage(server) == 1
    async with page.watching() as seen:
        await see_and_hear_the_face(seen, page.send, page.skip)
    assert await page.sizes() == {SIZE}
    told = await page.events()
    assert [name for name, _ in told if name not in ("ack", "video_info")] == ["start", "speaking", "silent"]
    assert any(name == "ack" for name, _ in told)
    await page.stop()
    await all_sessions_closed(server)


async def test_the_published_browser_client_is_told_what_it_did_wrong(server: str, page: FacePage) -> None:
    assert "INVALID_API_KEY" in await page.open(server, "another-key", FACE)
    assert "INVALID_FACE_ID" in await page.open(server, KEY, "no-such-face")
    for mode in MODES:
        assert "INVALID_SESSION_TOKEN" in await page.open(server, KEY, FACE, mode, token="no-such-token")
    assert await usage(server) == 0


async def test_the_published_browser_client_stops_at_the_limit_it_asked_for(server: str, page: FacePage) -> None:
    assert await page.open(server, KEY, FACE, limit=2) == ""
    async with asyncio.timeout(10):
        while ("stop", "") not in await page.events():
            await asyncio.sleep(0.05)
    assert not [detail for name, detail in await page.events() if name == "error"]
    await all_sessions_closed(server)
