"""A person on another host of the test's own, in a real browser that knows an authority by its own store."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import async_playwright

from meetctl.settings import inherited_environment
from testing.browser.install_chromium import find_chromium
from testing.browser.visitor import SCRIPT, Visitor
from testing.fixtures.networks import Host
from tests.browser.conftest import CHROMIUM_FLAGS, WAIT_MS, found

REMEMBERING = """(() => {
    const Connection = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Connection {
        constructor(...options) { super(...options); connections.push(this); }
    };
})();"""
"""To be put into the page before it loads: it keeps the page's connections."""


@asynccontextmanager
async def person_on(host: Host, link: str, authority: Path, home: Path) -> AsyncIterator[Visitor]:
    """Yields somebody on that host, whose browser trusts this authority and has opened the link."""
    wrapper = on_host(host, found(find_chromium(), "Chromium"), home)
    trust(authority, home / ".pki/nssdb", home)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(home / "profile"),
            executable_path=str(wrapper),
            args=CHROMIUM_FLAGS,
            env={**os.environ, **inherited_environment(), "HOME": str(home)},
            permissions=["camera", "microphone"],
        )
        try:
            page = await context.new_page()
            page.set_default_timeout(WAIT_MS)
            await page.add_init_script(REMEMBERING)
            await page.add_init_script(SCRIPT)
            await page.goto(link)
            yield Visitor(page)
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
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "meetctl", "-i", str(certificate)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True, capture_output=True)
