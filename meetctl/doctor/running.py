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
from typing import TypeVar

from meetctl.protocol import Model, encode_line

ENDING_S = 5.0
Answer = TypeVar("Answer", bound=Model)


async def answers_of(
    module: str,
    environment: Mapping[str, str],
    question: Model,
    answer: type[Answer],
    *,
    within_s: float,
    folder: Path | None = None,
) -> list[Answer]:
    """Returns what an examining program of ours told until it ended or the time was up."""
    found: list[Answer] = []
    async with running_program(module, environment, folder=folder) as process:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(within_s):
                process.stdin.write(encode_line(question))
                await process.stdin.drain()
                async for line in process.stdout:
                    found.append(answer.model_validate_json(line))  # noqa: PERF401 - what came in time counts
    return found


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
