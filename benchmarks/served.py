"""A livekit-server of a part's own, with one room in it, for as long as the part measures."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from meetctl.local.livekit import ServerConfig, new_server_config, server_argv, wait_until_serving, write_config
from meetctl.local.livekit_binary import ensure_server
from meetctl.rooms import Rooms


@asynccontextmanager
async def served_room(room: str) -> AsyncIterator[ServerConfig]:
    """Yields where the server answers once the room is there; ends the server."""
    config = new_server_config()
    binary = (await ensure_server()).path
    with tempfile.TemporaryDirectory(prefix="meetctl-bench-") as directory:
        path = Path(directory) / "livekit.yaml"
        write_config(config, path)
        quiet = asyncio.subprocess.DEVNULL
        server = await asyncio.create_subprocess_exec(*server_argv(binary, path), stdout=quiet, stderr=quiet)
        try:
            await wait_until_serving(config.url)
            async with Rooms(config.credentials) as rooms:
                await rooms.create(room)
            yield config
        finally:
            server.kill()
            await server.wait()
