"""By which way a request came in: under which names that is asked, and where signaling is from there."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from meetctl.reach.way_in import WayIn
from meetctl.web.gate import refuse
from meetctl.web.policy import is_own_origin

NOBODYS = WayIn("http", frozenset())
"""Of a connection that is gone already."""
WRONG_HOST = "The proxy in front has to pass on the Host header that the browser sent."


class Ways:
    """The ways to one server.

    Args:
        livekit_url: the LiveKit server, as the browser reaches it.
        passes_signaling: whether the page's signaling passes here, instead of going there itself.
    """

    def __init__(self, livekit_url: str, *, passes_signaling: bool) -> None:
        self._livekit_url = livekit_url
        self._passes_signaling = passes_signaling
        self._by_address: dict[tuple[str, int], WayIn] = {}
        """Each address that is listened on is asked under its own names alone."""

    def add(self, address: str, port: int, way: WayIn) -> None:
        """Has what comes to this address come by this way."""
        self._by_address[address, port] = way

    def of(self, request: web.Request) -> WayIn:
        """Returns by which way it came."""
        listened = request.get_extra_info("sockname", ())
        return self._by_address.get(tuple(listened[:2]), NOBODYS)

    def refusal(self, way: WayIn, request: web.Request) -> web.Response | None:
        """Returns what a request is told that comes from elsewhere; None = it is the page's own."""
        if request.host not in way.hosts:
            # A foreign page that rebound its own name to the loopback: https://en.wikipedia.org/wiki/DNS_rebinding
            why = WRONG_HOST if way.is_behind_proxy else "This server is asked under a name not its own."
            return refuse(HTTPStatus.FORBIDDEN, "foreign_host", why)
        if not is_own_origin(request.headers.get("Origin"), request.host, request.scheme):
            return refuse(HTTPStatus.FORBIDDEN, "foreign_origin", "The request comes from another site.")
        return None

    def livekit_url_of(self, request: web.Request) -> str:
        """Returns the LiveKit server's address for who asks so: the page's own, where signaling passes here."""
        if not self._passes_signaling:
            return self._livekit_url
        return self.of(request).server_url(request.host)

    def sources_of(self, request: web.Request) -> str:
        """Returns the same for the page's policy; a host that is not ours need not even be a host."""
        return self.livekit_url_of(request) if request.host in self.of(request).hosts else self._livekit_url
