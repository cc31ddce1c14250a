"""Drives Debian's Firefox by WebDriver BiDi, which it speaks itself: Playwright drives only a build of its own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from meetctl.settings import inherited_environment
from testing.fixtures.networks import Host

WAIT_S = 60.0
"""A bound, not a figure: Firefox takes 3 s to start on idle cores."""
ANSWER_S = 120.0
"""The longest that a script may wait inside the page."""
PREFERENCES = {
    # Devices that make up sound and pictures, and no question whether the page may have them.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    # Nothing that reaches out, and no window of its own.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}
"""What a fresh profile is told; autoplay, addresses and everything else of WebRTC stay as people have them."""
_LISTENS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")


class FirefoxError(Exception):
    """Firefox refused what it was asked."""


class Firefox:
    """A running Firefox; made by `firefox_running`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self._reading = asyncio.create_task(self._read())

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Returns the result of one command of the protocol.

        Raises:
            FirefoxError: Firefox's own words.
        """
        number = len(self._asked) + 1
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_S):
            result: dict[str, Any] = await answer
            return result

    def on_event(self, listener: Callable[[str, dict[str, Any]], None]) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        async for message in self._socket:
            heard = json.loads(message.data)
            if heard["type"] == "event":
                for listener in self._listeners:
                    listener(heard["method"], heard["params"])
            elif (answer := self._asked.get(heard.get("id"))) and not answer.done():
                if heard["type"] == "success":
                    answer.set_result(heard["result"])
                else:
                    answer.set_exception(FirefoxError(f"{heard['error']}: {heard['message']}"))


@asynccontextmanager
async def firefox_running(
    executable: str, profile: Path, *, host: Host | None = None, **preferences: Any
) -> AsyncIterator[Firefox]:
    """Yields a Firefox of a fresh profile; its whole process group is gone afterwards.

    Args:
        host: where it runs; None = here.
    """
    settings = PREFERENCES | preferences
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")
    prefix = () if host is None else host.prefix
    argv = [*prefix, executable, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    # Its own home: it writes into caches and runtime folders besides the profile.
    environment = {**os.environ, **inherited_environment(), "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"}
    process = await asyncio.create_subprocess_exec(
        *argv,
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stderr is not None
    draining: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(WAIT_S):
            url = await _address(process.stderr)
        draining = asyncio.create_task(process.stderr.read())
        # It listens on its own host's loopback.
        make = None if host is None else lambda info: host.new_socket(*info[:3])
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=make)) as client,
            client.ws_connect(f"{url}/session", max_msg_size=0) as socket,
        ):
            firefox = Firefox(socket)
            await firefox.command("session.new", capabilities={})
            yield firefox
            await firefox.close()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if draining is not None:
            await draining


async def _address(errors: asyncio.StreamReader) -> str:
    said = b""
    while line := await errors.readline():
        said += line
        if found := _LISTENS.search(line):
            return found[1].decode()
    raise FirefoxError(f"it ended before it listened: {said.decode(errors='replace')}")
