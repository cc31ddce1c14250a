"""The life of a program that examines: it reads one question on stdin, writes what it finds, a line each, and ends."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from meetctl.protocol import Model
from meetctl.protocol.proxies import keep_livekit_direct

from .wire import LineWriter, claim_standard_streams

Q = TypeVar("Q", bound=Model)

logger = logging.getLogger(__name__)


def run_examination(question: type[Q], examine: Callable[[Q, LineWriter], Awaitable[None]], *, log: int) -> int:
    """Runs one examination; returns the exit code, 2 where what was read is no such question.

    Args:
        log: the level from which on the libraries' words are written to stderr.
    """
    keep_livekit_direct()
    commands, events = claim_standard_streams()
    logging.basicConfig(level=log, stream=sys.stderr)
    try:
        asked = question.model_validate_json(commands.readline())
    except ValueError as error:
        logger.error("no %s: %s", question.__name__, type(error).__name__)  # the line itself holds keys
        return 2
    writer = LineWriter(events)

    async def work() -> None:
        await examine(asked, writer)

    asyncio.run(work())
    writer.flush()
    return 0
