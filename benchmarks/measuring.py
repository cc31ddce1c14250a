"""What the parts share: printing a figure, running the installed command in a world of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND_S = 180.0
"""No command of a benchmark takes so long."""


def show(what: str, unit: str, **figures: float | int | str) -> None:
    """Prints one line: what was measured, in which unit, at which load of the machine."""
    rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"what": what, "unit": unit, **rounded, "load": round(os.getloadavg()[0], 1)}), flush=True)


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Returns the median, the 95th percentile (of fewer than 20 values the largest) and how many there were."""
    ordered = sorted(values)
    p95 = ordered[-1] if len(ordered) < 20 else statistics.quantiles(ordered, n=20)[-1]
    return {"p50": statistics.median(ordered), "p95": p95, "n": len(ordered)}


def fixed_loop() -> float:
    """Returns how long this machine takes for ten million additions, seconds: 0.6 where the targets hold."""
    began, total = time.monotonic(), 0
    for number in range(10_000_000):
        total += number
    return time.monotonic() - began


class Command:
    """The installed `meetctl` with directories of its own."""

    def __init__(self, directory: Path, prefix: Sequence[str] = ()) -> None:
        self.directory = directory
        self.prefix = prefix
        (directory / "run").mkdir()
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(directory / "run"),
            "XDG_STATE_HOME": str(directory / "state"),
        }

    def argv(self, *arguments: str) -> list[str]:
        """Returns the whole command line."""
        return [*self.prefix, str(Path(sys.executable).with_name("meetctl")), *arguments]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            self.argv(*arguments),
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
        )
        if done.returncode != 0:
            raise RuntimeError(f"meetctl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def status(self) -> dict[str, Any]:
        """Returns the one meeting that runs."""
        (meeting,) = json.loads(self("status", "--json"))["meetings"]
        return dict(meeting)


@contextmanager
def command(prefix: Sequence[str] = ()) -> Iterator[Command]:
    """Yields the command; whatever runs afterwards is ended.

    Args:
        prefix: what runs it, as on another host.
    """
    with tempfile.TemporaryDirectory(prefix="meetctl-bench-") as directory:
        meetctl = Command(Path(directory), prefix)
        try:
            yield meetctl
        finally:
            meetctl("down", "--all")
