"""A clock that goes on while the machine sleeps: what `max_duration` and `idle_timeout` promise to people."""

from __future__ import annotations

import time

# Linux stops its monotonic clock in sleep and has another beside it; macOS keeps this one going and stops Python's own.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_asleep_or_not() -> float:
    """Returns seconds since some moment, the machine's sleep included; never set back."""
    return time.clock_gettime(_CLOCK)
