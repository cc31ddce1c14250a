"""How long `meetctl --help` takes, beside an interpreter that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring import show, spread

RUNS = 15


def main() -> None:
    """Prints the two and their ratio; runs alternate, so that a slow moment hits both."""
    command = [str(Path(sys.executable).with_name("meetctl")), "--help"]
    bare = [sys.executable, "-c", "pass"]
    pairs = [(_seconds(command), _seconds(bare)) for _ in range(RUNS)]
    show("meetctl --help", "s", **spread([pair[0] for pair in pairs]))
    show("meetctl --help / python -c pass", "ratio", **spread([pair[0] / pair[1] for pair in pairs]))


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
