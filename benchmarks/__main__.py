"""`make bench`: the figures that the README states, measured on this machine, one JSON object a line.

Each part is a program of its own and may be run alone: `python -m benchmarks start`. Where an absolute figure would be
noise, a part measures two things in one run and gives their ratio.
"""

from __future__ import annotations

import importlib
import sys

PARTS = (
    "help",
    "start",
    "recovery",
    "reach",
    "face",
    "avatar",
    "microphones",
    "conversation",
    "hearing",
    "sense",
    "talk",
    "meant",
    "tools",
)
LONG = ("unanswered",)
"""Only by name, and with options of their own: half an hour and more."""


def main(names: list[str]) -> int:
    """Runs the named parts, or all."""
    if names and names[0] in LONG:
        return int(importlib.import_module(f"benchmarks.{names[0]}").main(names[1:]))
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join((*PARTS, *LONG))}", file=sys.stderr)
        return 2
    for name in names or PARTS:
        print(f"# {name}", file=sys.stderr, flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
