"""The HTTP session that LiveKit's plugins share in one program: by the environment's proxies, where it names any."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.request import getproxies

from livekit.agents import utils


@asynccontextmanager
async def plugin_http() -> AsyncIterator[None]:
    """Opens the session for all plugins that are used inside, and closes it."""
    async with utils.http_context.open():
        if getproxies():
            # LiveKit takes a proxy from its own worker alone, which is not here, and lets no session be given.
            utils.http_context.http_session()._trust_env = True
        yield
