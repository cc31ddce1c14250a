"""The last word on standard output and error, as a command leaves. Loads nothing: `--help` leaves too."""

from __future__ import annotations

import contextlib
import os
import sys


def let_go() -> None:
    """Writes what is still held back, and drops what nobody can read: the interpreter's own last flush would raise."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
                stream.flush()
