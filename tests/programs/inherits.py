"""A child that tells what it was given: one line of JSON; it leaves when its stdin ends. Linux only."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from pathlib import Path


def signals(word: str) -> list[int]:
    """Returns the numbers in one of the kernel's masks (`SigIgn`, `SigBlk`) of this process.

    Those that the C library keeps for its threads are nobody's to give, and left out.
    """
    text = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    mask = int(next(line for line in text.splitlines() if line.startswith(word)).split()[1], 16)
    return [int(number) for number in sorted(signal.valid_signals()) if mask >> (number - 1) & 1]


def descriptors() -> list[int]:
    """Returns those that are open; not the one that reads the list."""
    return sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}"))


def mask() -> int:
    """Returns the umask; to ask is to set it."""
    now = os.umask(0)
    os.umask(now)
    return now


if __name__ == "__main__":
    told = {
        "umask": mask(),
        "cwd": os.getcwd(),
        "ignored": signals("SigIgn"),
        "blocked": signals("SigBlk"),
        "descriptors": descriptors(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "in a session of its own": os.getsid(0) == os.getpid(),
    }
    print(json.dumps(told), flush=True)
    sys.stdin.read()
