"""What the join page's server lets through: hosts, origins, names, and the headers on every answer. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from meetctl.protocol.names import MAX_NAME_CHARACTERS, clean_name

__all__ = ["MAX_NAME_CHARACTERS", "clean_name", "hosts_of", "is_own_origin", "page_headers"]

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def hosts_of(host: str, port: int) -> frozenset[str]:
    """Returns the `Host` headers under which a server bound to this address may be asked."""
    shown = f"[{host}]" if ":" in host else host
    names = _LOOPBACK_NAMES if shown in _LOOPBACK_NAMES else (shown,)
    return frozenset(f"{name}:{port}" for name in names)


def is_own_origin(origin: str | None, host: str, scheme: str = "http") -> bool:
    """Returns whether a request of this `Origin` comes from the page itself, served by this scheme.

    No origin at all counts as own: every browser sends one with a POST, and what is not a browser
    cannot be tricked into sending a person's invite.
    """
    return origin is None or origin == f"{scheme}://{host}"


@lru_cache(maxsize=16)
def page_headers(livekit_url: str) -> Mapping[str, str]:
    """Returns the headers of every answer; the page may reach this LiveKit server and nothing else."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "media-src": "'self' blob: mediastream:",
        "worker-src": "'self' blob:",
        "connect-src": " ".join(("'self'", *_livekit_sources(livekit_url))),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    return MappingProxyType(headers)  # everybody gets the same


def _livekit_sources(livekit_url: str) -> tuple[str, ...]:
    parts = urlsplit(livekit_url)
    secure = parts.scheme in ("wss", "https")
    host = parts.netloc.rpartition("@")[2]
    # LiveKit Cloud moves a client to a server near it, under another name.
    if parts.hostname and parts.hostname.endswith(".livekit.cloud"):
        host = "*.livekit.cloud"
    # The client asks over HTTP why a websocket was refused.
    return tuple(f"{scheme}://{host}" for scheme in (("wss", "https") if secure else ("ws", "http")))
