"""A page with Simli's own browser client in it: built from the published package, served, opened, watched."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from playwright.async_api import Page

import hatch_build
from testing.simli.clients import Watcher

SOURCES = Path(__file__).parent / "simli_client"
WITHIN_S = 40.0
"""The client gives up on a connection after 15 s and tries again; at first try it takes one."""


def build_client(script: Path) -> None:
    """Bundles the page's script into that file; fetches the package where it is not here as locked."""
    npm, environment = hatch_build.find_npm()

    def run(*arguments: str) -> None:
        done = subprocess.run([*npm, *arguments], cwd=SOURCES, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    installed, locked = SOURCES / "node_modules" / ".package-lock.json", SOURCES / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < locked.stat().st_mtime:
        run("ci", "--include=dev")
    run("run", "build", "--", f"--outfile={script}")


@asynccontextmanager
async def serving(script: Path) -> AsyncIterator[str]:
    """Serves the page on loopback and yields its URL."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(SOURCES / "index.html")

    async def client(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(script)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/client.js", client)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


class FacePage:
    """The client of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def open(self, url: str, key: str, face: str, mode: str = "p2p", **more: str | int) -> str:
        """Starts a session; returns what the client threw, "" where it did not."""
        wanted = {"url": url, "key": key, "face": face, "mode": mode, **more}
        async with asyncio.timeout(WITHIN_S):
            return str(await self.page.evaluate("(wanted) => face.open(wanted)", wanted))

    async def send(self, samples: bytes) -> None:
        await self.page.evaluate("(samples) => face.send(samples)", base64.b64encode(samples).decode())

    async def skip(self) -> None:
        await self.page.evaluate("face.skip()")

    async def stop(self) -> None:
        await self.page.evaluate("face.stop()")

    async def sizes(self) -> set[str]:
        """Returns every size the video has had, `512x512`."""
        return set(await self.page.evaluate("face.sizes"))

    async def events(self) -> list[tuple[str, str]]:
        """Returns what the client told the page: names, and what they carried."""
        return [(name, detail) for name, detail in await self.page.evaluate("face.events")]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        """Yields what is shown and played, from now on."""
        watcher = Watcher()

        async def watch() -> None:
            while True:
                taken: dict[str, Any] = await self.page.evaluate("face.take()")
                pixels = np.frombuffer(base64.b64decode(taken["rgba"]), np.uint8)
                await watcher.add(watcher.frames, pixels.reshape(taken["height"], taken["width"], 4)[..., :3])
                for chunk in taken["sound"]:
                    await watcher.add(watcher.sound, np.frombuffer(base64.b64decode(chunk), np.int16))

        task = asyncio.create_task(watch())
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
