"""The shell of a local server's process: one line of JSON on stdout once it serves, and when it ends.

It ends at SIGTERM or SIGINT, and, where asked to watch it, when the other end of its stdin is closed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol

from meetctl.errors import MeetctlError
from meetctl.protocol import Model, encode_line
from meetctl.protocol.steps import STEPS

Tell = Callable[[Model], None]
"""Writes one message to whoever started the process."""


class Serve(Protocol):
    """A server: tells where it is once it is ready, and returns when it is told to stop."""

    def __call__(self, tell: Tell, stopped: asyncio.Event) -> Awaitable[None]: ...


def run_server(serve: Serve, *, watch_stdin: bool, tell_steps: bool) -> NoReturn:
    """Runs the server as this process's only work and exits: 0 when told to stop, 1 when it failed.

    Args:
        tell_steps: whether the steps of its start are told too.
    """
    tell = _claim_stdout()
    STEPS.tell(tell if tell_steps else None)
    try:
        # Not asyncio.run: it would wait for native threads in the middle of their work.
        asyncio.new_event_loop().run_until_complete(_serve(serve, tell, watch_stdin=watch_stdin))
        code = 0
    except MeetctlError as error:
        sys.stderr.write(f"meetctl: {error.message}" + (f" (try: {error.hint})" if error.hint else "") + "\n")
        code = 1
    except BaseException:
        logging.exception("the server failed")
        code = 1
    sys.stderr.flush()
    # Native threads may still compute; an ordinary exit would wait for them, or crash under them.
    os._exit(code)


def _claim_stdout() -> Tell:
    """Moves the real stdout out of reach of native libraries and prints, which write to stderr from here on."""
    wire = os.dup(1)
    os.dup2(2, 1)

    def tell(message: Model) -> None:
        os.write(wire, encode_line(message))

    return tell


async def _serve(serve: Serve, tell: Tell, *, watch_stdin: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if watch_stdin:
        threading.Thread(target=_watch_stdin, args=(loop, stopped), daemon=True).start()
    await serve(tell, stopped)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass  # closed from the start: nothing that could end any more
    loop.call_soon_threadsafe(stopped.set)
