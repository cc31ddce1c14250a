"""Proxies of the environment: for what is elsewhere, never for this machine's own servers.

LiveKit's client is not in Python and heeds no `NO_PROXY`: `ws://127.0.0.1` goes to `HTTP_PROXY`. So it must not see the
variables where it is to connect directly, while Python's clients in the same process go on to see them.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Each is known in lower case too."""
NO_PROXY = "NO_PROXY"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DIRECT = "MEETCTL_LIVEKIT_DIRECT"
"""Set for a process that is to join its room without a proxy."""


def is_loopback(url: str) -> bool:
    """Returns whether the address is this machine's own."""
    host = ""
    try:
        host = urlsplit(url).hostname or ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def spelled(names: Iterable[str]) -> Iterable[str]:
    """Yields each name in both spellings that programs look for."""
    for name in names:
        yield from (name, name.lower())


def with_loopback_direct(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables with this machine added to what needs no proxy; as they are where there is no proxy."""
    if not any(variables.get(name) for name in spelled(PROXIES)):
        return dict(variables)
    told = variables.get(NO_PROXY.lower()) or variables.get(NO_PROXY) or ""
    hosts = [host.strip() for host in told.split(",") if host.strip()]
    if "*" not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
    return {**variables, **dict.fromkeys(spelled((NO_PROXY,)), ",".join(hosts))}


def livekit_is_direct(url: str, variables: Mapping[str, str]) -> bool:
    """Returns whether this LiveKit server is one that the variables' proxies are not for."""
    if is_loopback(url):
        return True
    told = variables.get(NO_PROXY.lower()) or variables.get(NO_PROXY)
    if not told:
        return False
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    parts = urlsplit(url)
    return bool(proxy_bypass_environment(parts.netloc.rpartition("@")[2], {"no": told}))


def without_livekit_proxy(url: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables without those whose proxy LiveKit's client would ask for this address."""
    scheme = "HTTPS_PROXY" if urlsplit(url).scheme in ("wss", "https") else "HTTP_PROXY"
    dropped = frozenset(spelled((scheme,)))
    return {name: value for name, value in variables.items() if name not in dropped}


def keep_livekit_direct() -> None:
    """Hides the proxies from what is not Python in this process, where it was started with `DIRECT`.

    To be called once, before there are threads: what is removed here is shared by all of them.
    """
    if os.environ.get(DIRECT):
        for name in spelled(PROXIES):
            os.unsetenv(name)
