"""Runs a program of ours for the doctor, and ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ENDING_S = 5.0


@asynccontextmanager
async def running_program(
    module: str, environment: Mapping[str, str], *arguments: str, folder: Path | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs a program of ours, and ends it."""
    pipe = asyncio.subprocess.PIPE
    errors = pipe if arguments else asyncio.subprocess.DEVNULL
    argv = (sys.executable, "-m", module, *arguments)
    process = await asyncio.create_subprocess_exec(
        *argv, env=dict(environment), cwd=folder, stdin=pipe, stdout=pipe, stderr=errors
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)  # `terminate` would reap one that has just ended by itself
        try:
            async with asyncio.timeout(ENDING_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
