"""A tool server over HTTP that nobody here wrote: stamp-mcp, as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from meetctl.local.ports import free_tcp_port

WAIT_S = 30.0


@asynccontextmanager
async def served_over_http() -> AsyncIterator[str]:
    """Yields its address; its tools are among others `calculate` and `generate_uuid`."""
    port = free_tcp_port()
    program = Path(sys.executable).with_name("stamp-mcp-http")
    process = await asyncio.create_subprocess_exec(
        program, env={**os.environ, "STAMP_PORT": str(port)}, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(WAIT_S), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"http://127.0.0.1:{port}/health") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        await process.wait()
