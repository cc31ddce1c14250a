"""`meetctl setup`: fetches what a meeting without keys needs, so that the first `up` does not wait for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from meetctl.display import console
from meetctl.local.data import ensure_models, missing_models
from meetctl.local.livekit_binary import ensure_server


def setup(*, server: bool = True, models: bool = True) -> Path | None:
    """Fetches livekit-server and the local models where they are missing; returns where the server is.

    Raises:
        FetchError: saying all that was tried.
    """
    return asyncio.run(_setup(server=server, models=models))


async def _setup(*, server: bool, models: bool) -> Path | None:
    binary = None
    with console.progress() as progress:
        if server:
            found = await ensure_server(progress)
            binary = found.path
            for warning in found.warnings:
                console.talk(f"warning: {warning}")
        if models and missing_models():
            await ensure_models(progress)
    return binary
