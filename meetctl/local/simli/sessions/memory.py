"""Memory that was freed, given back: glibc keeps it for the threads that freed it, and a session's coders have many."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Returns freed memory to the system, where the C library can; takes some milliseconds, so in a thread."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
