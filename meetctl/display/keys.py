"""Keys pressed while a board is shown. Reads the terminal, where there is one; writes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_key(key: str, pressed: Callable[[], None]) -> Iterator[bool]:
    """Calls back when the key is pressed, from the running loop; yields whether there is a keyboard to press it on."""
    try:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (ImportError, OSError, ValueError, AttributeError, termios.error):
        yield False
        return
    loop = asyncio.get_running_loop()

    def read() -> None:
        typed = os.read(descriptor, 64)
        if not typed:  # the terminal is gone
            loop.remove_reader(descriptor)
        elif key.encode() in typed.lower():
            pressed()

    # Keys arrive at once and are not echoed; Ctrl-C stays what it is.
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    loop.add_reader(descriptor, read)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
