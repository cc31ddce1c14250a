"""What a person's window can be asked, in whatever browser: the part of Playwright's `Page` that both have here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Window(Protocol):
    """A page in a browser; the methods mean what Playwright's of the same names mean.

    `on` knows `websocket` in every browser, `evaluate` and `wait_for_function` take an expression or a function,
    `fill` and `click` a selector of CSS.
    """

    @property
    def on(self) -> Any: ...
    @property
    def evaluate(self) -> Any: ...
    @property
    def wait_for_function(self) -> Any: ...
    @property
    def fill(self) -> Any: ...
    @property
    def click(self) -> Any: ...
    @property
    def screenshot(self) -> Any: ...


OpenWindow = Callable[..., Awaitable[Window]]
"""`(link, *, before=None) -> Window`: `before` is a script that the page has before its own."""


def is_fault(text: str) -> bool:
    """Returns whether what a page wrote to the console is a fault of ours, and not one that LiveKit's client mends."""
    return any(ours in text for ours in ("Content Security Policy", "Content-Security-Policy", "Minified React error"))


def by_id(test_id: str) -> str:
    """Returns the selector of the element with this `data-testid`."""
    return f'[data-testid="{test_id}"]'
