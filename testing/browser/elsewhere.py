"""A person on another host of the test's own, in a real browser that knows an authority by its own store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import BrowserContext, async_playwright

from meetctl.settings import inherited_environment
from testing.browser.install_chromium import find_chromium
from testing.browser.visitor import SCRIPT, SPEECH_RATE, Visitor
from testing.fixtures.networks import Host

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
]
WAIT_MS = 30_000
"""A bound, not a figure: a whole browser starts on cores that others use too."""

REMEMBERING = """(() => {
    const Connection = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Connection {
        constructor(...options) { super(...options); connections.push(this); }
    };
})();"""
"""To be put into the page before it loads: it keeps the page's connections."""


TONE = (8_000 * np.sin(2 * np.pi * 300 * np.arange(SPEECH_RATE) / SPEECH_RATE)).astype(np.int16).tobytes()
"""A second of it, to be said aloud."""
LIGHT = """
room: {room}
{head}
defaults: {{stt: {{provider: openai, model: none, base_url: "http://127.0.0.1:9/v1", api_key: none}}}}
agents:
  - {{name: Tone, command: [{python}, -m, tests.programs.answering_tone], cwd: {root}}}
"""


def light_roster(room: str, head: str = "") -> str:
    """Returns a roster without any model, whose agent sounds once it hears somebody."""
    return LIGHT.format(room=room, head=head, python=sys.executable, root=ROOT)


@asynccontextmanager
async def person_on(host: Host, link: str, authority: Path, home: Path) -> AsyncIterator[Visitor]:
    """Yields somebody on that host, whose browser trusts this authority and has opened the link."""
    trust(authority, home / ".pki/nssdb", home)
    async with chromium_on(host, home) as context:
        page = await context.new_page()
        page.set_default_timeout(WAIT_MS)
        await page.add_init_script(REMEMBERING)
        await page.add_init_script(SCRIPT)
        await page.goto(link)
        yield Visitor(page)


@asynccontextmanager
async def chromium_on(host: Host, home: Path) -> AsyncIterator[BrowserContext]:
    """Yields a Chromium that runs there, for somebody with this home."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium found: run `python -m testing.browser.install_chromium`")
    wrapper = on_host(host, executable, home)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(home / "profile"),
            executable_path=str(wrapper),
            args=CHROMIUM_FLAGS,
            env={**os.environ, **inherited_environment(), "HOME": str(home)},
            permissions=["camera", "microphone"],
        )
        try:
            yield context
        finally:
            await context.close()


def on_host(host: Host, executable: str, home: Path) -> Path:
    """Returns a program that is the browser on that host."""
    wrapper = home / "browser"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(host.prefix)} "{executable}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return wrapper


def trust(authority: Path, store: Path, home: Path) -> None:
    """Has the browser with this store trust the authority, as its user would."""
    store.mkdir(parents=True, exist_ok=True)
    certificate = home / "authority.crt"
    pem = authority.read_text(encoding="utf-8")
    certificate.write_text(pem[pem.index("-----BEGIN CERTIFICATE") :], encoding="utf-8")
    made = [] if (store / "cert9.db").exists() else [["-N", "--empty-password"]]
    for arguments in (*made, ["-A", "-t", "C,,", "-n", "meetctl", "-i", str(certificate)]):
        command = ["certutil", "-d", f"sql:{store}", *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
