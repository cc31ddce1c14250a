"""The chair, as it is, but that it writes to stderr all that it notices: `python -m benchmarks.outspoken_chair`."""

from __future__ import annotations

import logging

from meetctl_agents.chair import run_chair
from meetctl_agents.runtime import run_program

if __name__ == "__main__":
    for told in ("hearing", "floor", "meeting"):
        logging.getLogger(f"meetctl_agents.{told}").setLevel(logging.DEBUG)
    run_program(run_chair)
