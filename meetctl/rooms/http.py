"""HTTP sessions for servers elsewhere: by the environment's proxies, which are not for this machine's own servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meetctl.protocol.proxies import is_loopback

if TYPE_CHECKING:
    import aiohttp


def session_for(url: str, timeout: float) -> aiohttp.ClientSession:
    """Returns a session to ask this server with; whoever asked for it closes it.

    Args:
        timeout: seconds, of one request.
    """
    import aiohttp

    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout), trust_env=not is_loopback(url))
