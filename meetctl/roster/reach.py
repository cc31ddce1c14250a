"""Whether Simli's own worker can join a room: only where the LiveKit server can be reached from Simli's side. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from meetctl.protocol.proxies import is_loopback

_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def why_not_direct(livekit_url: str | None, simli_url: str) -> str | None:
    """Returns why an avatar cannot join by itself, None where it can.

    Args:
        livekit_url: None = a server of our own, on this machine.
    """
    if livekit_url is not None and not _is_private(livekit_url):
        return None
    if is_loopback(simli_url):  # a Simli server on this machine reaches what we reach
        return None
    where = "a local LiveKit server" if livekit_url is None else f"the LiveKit server {urlsplit(livekit_url).hostname}"
    return f"{where} cannot be reached by Simli, whose worker would have to join the room there"


def _is_private(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_ENDINGS)
