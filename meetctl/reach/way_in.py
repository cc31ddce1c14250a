"""How browsers ask by one way in: under which names, below which path, and who they are where a proxy asks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

PROXIES = frozenset({"127.0.0.1", "::1"})
"""Where a proxy in front comes from: it is on this machine, and what it says of a visitor is believed."""
_FORWARDED_FOR = "X-Forwarded-For"
_PREFIX = "x-forwarded-"
_OTHERS = frozenset({"forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"})
"""What programs believe of who asks; livekit-server does of some."""


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way in."""

    scheme: str
    """As browsers ask, which is not as it arrives where a proxy ends TLS."""
    hosts: frozenset[str]
    """The `Host` headers under which it may be asked."""
    base: str = ""
    """What stands before every path out there, as `/team`."""
    is_behind_proxy: bool = False

    def server_url(self, host: str) -> str:
        """Returns where a page of that `Host` finds signaling."""
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{host}{self.base}"

    def as_asked(self, request: web.Request) -> web.Request:
        """Returns the request as the browser sent it: nothing that a visitor says of addresses is left in it."""
        if not self.is_behind_proxy and not any(_says_who_asks(name) for name in request.headers):
            return request
        kept = ((name, value) for name, value in request.headers.items() if not _says_who_asks(name))
        headers = CIMultiDict((name, value) for name, value in kept if _is_utf8(name) and _is_utf8(value))
        return request.clone(headers=headers, scheme=self.scheme, remote=self._visitor(request))

    def _visitor(self, request: web.Request) -> str:
        """Returns the address that asks: the last one named by somebody who is believed."""
        asker = request.remote or ""
        if not self.is_behind_proxy:
            return asker
        for named in _from_the_last(request.headers.getall(_FORWARDED_FOR, [])):
            if asker not in PROXIES:
                break
            try:
                asker = str(ipaddress.ip_address(named))
            except ValueError:
                break
        return asker


def _from_the_last(values: list[str]) -> Iterator[str]:
    for value in reversed(values):
        for part in reversed(value.split(",")):
            yield part.strip()


def _is_utf8(text: str) -> bool:
    """Returns whether a header can be written again: what was no UTF-8 came as surrogates, which aiohttp refuses."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _says_who_asks(name: str) -> bool:
    return name.lower().startswith(_PREFIX) or name.lower() in _OTHERS
