"""The address under which a proxy in front serves a meeting, and where media is to come in. Values only."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

STUN = "stun:"
"""Before a server's name: it is asked which address of ours others see."""
STUN_PORT = 3478

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]")
_BASE = re.compile(r"(/[A-Za-z0-9._~-]+)*")


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Where people come in, through somebody else's TLS."""

    host: str
    """As browsers send it in `Host`: with its port, unless that is the usual one."""
    base: str = ""
    """What stands before every path, as `/team`; empty = nothing."""

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    def __str__(self) -> str:
        return f"{self.origin}{self.base}/"


def parse_public_url(text: str) -> PublicUrl:
    """Returns the address.

    Raises:
        ValueError: saying what is wrong with it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no address: {error}") from None
    if parts.scheme != "https":
        raise ValueError("must begin with https://: browsers give no other page a microphone")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must have no user, query or fragment")
    host = parts.netloc.lower().removesuffix(f":{port}").removesuffix(":")
    if _HOST.fullmatch(host) is None:
        raise ValueError(f"has no host name that could be served: {host or 'nothing'}")
    base = parts.path.rstrip("/")
    if _BASE.fullmatch(base) is None or {".", ".."} & set(base.split("/")):
        raise ValueError(f"has a path that could not be served: {parts.path}")
    return PublicUrl(host if port in (None, 443) else f"{host}:{port}", base)


def check_node_ip(text: str) -> str:
    """Returns where media comes in: an address, or `stun:HOST[:PORT]` whose server is asked for it.

    Raises:
        ValueError: if it is neither.
    """
    if text.startswith(STUN):
        stun_server(text)
        return text
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is neither an IP address nor stun:HOST[:PORT]") from None


def stun_server(text: str) -> tuple[str, int]:
    """Returns host and port of `stun:HOST[:PORT]`; raises ValueError where it is none."""
    host, _, port = text.removeprefix(STUN).partition(":")
    if _HOST.fullmatch(host.lower()) is None or not (port == "" or (port.isdecimal() and 0 < int(port) < 65_536)):
        raise ValueError("is neither an IP address nor stun:HOST[:PORT]")
    return host, int(port or STUN_PORT)
