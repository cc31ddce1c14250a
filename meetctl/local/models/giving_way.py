"""Lets models compute behind everything that plays: on few cores a voice must not break because something is read."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

EARS = 2
"""Niceness. What was said is wanted before what is answered to it, so ears give way less than the chat."""
CHAT = 4
"""Seventy per cent of a contested core are left to whoever plays sound or pictures; an idle one is used whole."""


async def giving_way(nice: int, function: Callable[[], T]) -> T:
    """Runs the function in a thread of its own, at a lower priority that the threads it starts inherit.

    Where the system knows no priority of a single thread it is run at the usual one.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
        try:
            made = function()
        except BaseException as error:
            _tell(loop, done, None, error)
        else:
            _tell(loop, done, made, None)

    threading.Thread(target=run, name="loading", daemon=True).start()
    return await done


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], made: T | None, error: BaseException | None
) -> None:
    def tell() -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(made)  # type: ignore[arg-type]

    if not loop.is_closed():
        loop.call_soon_threadsafe(tell)
