"""What the page sends for a host about what waits for a host's word. Values only."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from pydantic import Field

from meetctl.web.people import Invited


class Decide(Protocol):
    """Decides one request; raises MeetctlError where it cannot be."""

    def __call__(self, id: str, *, allowed: bool, by: str) -> Awaitable[object]: ...


class HostRequestsAsked(Invited):
    """What the page sends for a host."""

    id: str = Field("", max_length=64)
    allowed: bool | None = None
    """None = only look what waits."""
    by: str = Field("", max_length=200)
    """What the host is called in the meeting."""
