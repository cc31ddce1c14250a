"""A window of Firefox, asked as Playwright's `Page` is."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from testing.browser.firefox import Firefox, FirefoxError
from testing.browser.window import OpenWindow, is_fault

POLL_S = 0.05
WAIT_MS = 60_000
CHANNEL = "frames"
TAP = """(tell) => {
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", async ({ data }) => {
        const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
        if (bytes instanceof ArrayBuffer) tell(btoa(String.fromCharCode(...new Uint8Array(bytes))));
      });
    }
  };
}"""
"""Reads along what the page's websockets receive; the protocol has no event for it."""
POINTER, KEYS = {"type": "pointer", "id": "mouse"}, {"type": "key", "id": "keyboard"}
CONTROL = "\ue009"

Listener = Callable[[Any], None]


class FramesOnly:
    """A websocket as far as it can be listened to."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    def on(self, event: str, listener: Listener) -> None:
        assert event == "framereceived"
        self.listeners.append(listener)


class FirefoxPage:
    """One window with cookies and storage of its own; made by `open_firefox_page`."""

    def __init__(self, firefox: Firefox, context: str) -> None:
        self._firefox = firefox
        self._context = context
        self._frames = FramesOnly()
        self.complaints: list[str] = []
        """What the page's own scripts and policy got wrong."""
        firefox.on_event(self._hear)

    async def goto(self, link: str) -> None:
        await self._firefox.command("browsingContext.navigate", context=self._context, url=link, wait="complete")

    def on(self, event: str, listener: Listener) -> None:
        assert event == "websocket"
        listener(self._frames)

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Returns the value of the expression, or of the function called with the argument, as JSON carries it.

        Raises:
            FirefoxError: what the page's engine said.
        """
        return json.loads(await self._run(expression, arg, "JSON.stringify(value) ?? 'null'"))

    async def wait_for_function(
        self, expression: str, *, arg: Any = None, timeout: float = WAIT_MS, polling: object = None
    ) -> None:
        until = time.monotonic() + timeout / 1000
        while not json.loads(await self._run(expression, arg, "String(Boolean(value))")):
            assert time.monotonic() < until, f"not within {timeout / 1000:g} s: {expression} of {arg}"
            await asyncio.sleep(POLL_S)

    async def click(self, selector: str) -> None:
        """Clicks as a hand does, which also counts as a person's own doing where a browser asks for that."""
        ready = "(selector) => { const it = document.querySelector(selector); return it && !it.disabled; }"
        await self.wait_for_function(ready, arg=selector)
        it = await self._evaluate(f"document.querySelector({json.dumps(selector)})")
        await self.evaluate(
            "(selector) => document.querySelector(selector).scrollIntoView({ block: 'center' })", selector
        )
        where = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": it}}
        button = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        await self._act({**POINTER, "actions": [where, *button]})

    async def fill(self, selector: str, text: str) -> None:
        await self.click(selector)
        await self.press(CONTROL, "a")
        await self.press(*text, together=False)

    async def press(self, *keys: str, together: bool = True) -> None:
        """Presses keys one by one, or the first ones held until the last is."""
        down = [{"type": "keyDown", "value": key} for key in keys]
        up = [{"type": "keyUp", "value": key} for key in keys]
        actions = [*down, *reversed(up)] if together else [step for pair in zip(down, up, strict=True) for step in pair]
        await self._act({**KEYS, "actions": actions})

    async def screenshot(self) -> bytes:
        """Returns what is to be seen, PNG."""
        taken = await self._firefox.command("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(taken["data"])

    async def _run(self, expression: str, arg: Any, shown: str) -> str:
        """Returns what `shown` makes of the `value`."""
        value = f"typeof it === 'function' ? await it({json.dumps(arg)}) : await it"
        script = f"(async () => {{ const it = ({expression}); const value = {value}; return {shown}; }})()"
        return str((await self._evaluate(script))["value"])

    async def _act(self, source: dict[str, Any]) -> None:
        await self._firefox.command("input.performActions", context=self._context, actions=[source])

    async def _evaluate(self, expression: str) -> dict[str, Any]:
        answer = await self._firefox.command(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        if answer["type"] == "exception":
            raise FirefoxError(f"{answer['exceptionDetails']['text']}, of {expression}")
        result: dict[str, Any] = answer["result"]
        return result

    def _hear(self, method: str, said: dict[str, Any]) -> None:
        if said.get("source", {}).get("context") != self._context:
            return
        if method == "script.message":
            frame = base64.b64decode(said["data"]["value"])
            for listener in self._frames.listeners:
                listener(frame)
        elif method == "log.entryAdded" and said["level"] == "error":
            text = str(said["text"])
            if said["type"] == "javascript" or is_fault(text):
                self.complaints.append(text)


@asynccontextmanager
async def pages_of_firefox(firefox: Firefox) -> AsyncIterator[OpenWindow]:
    """Yields a function that opens a link in a window of its own; what the page complains of fails the test."""
    pages: list[FirefoxPage] = []

    async def open_link(link: str, *, before: str | None = None, width: int = 1280, height: int = 800) -> FirefoxPage:
        pages.append(await open_firefox_page(firefox, link, before=before, width=width, height=height))
        return pages[-1]

    yield open_link
    assert [complaint for page in pages for complaint in page.complaints] == []


async def open_firefox_page(
    firefox: Firefox, link: str, *, before: str | None = None, width: int = 1280, height: int = 800
) -> FirefoxPage:
    """Opens a link in a window of its own; `before` is put into the page ahead of its scripts."""
    user = (await firefox.command("browser.createUserContext"))["userContext"]
    created = await firefox.command("browsingContext.create", type="window", userContext=user)
    context = created["context"]
    page = FirefoxPage(firefox, context)
    await firefox.command("session.subscribe", events=["log.entryAdded", "script.message"], contexts=[context])
    size = {"width": width, "height": height}
    await firefox.command("browsingContext.setViewport", context=context, viewport=size)
    channel = {"type": "channel", "value": {"channel": CHANNEL}}
    preloads: list[tuple[str, list[dict[str, Any]]]] = [(TAP, [channel])]
    if before:
        preloads.append((f"() => {{ {before} }}", []))
    for script, arguments in preloads:
        await firefox.command(
            "script.addPreloadScript", functionDeclaration=script, arguments=arguments, contexts=[context]
        )
    await page.goto(link)
    return page
