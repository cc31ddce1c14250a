"""Starts children that misbehave, under the real launcher."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.sweep import MEETING_VARIABLE

ROOT = Path(__file__).parents[3]


def misbehaving(behaviour: str, meeting: str = "none", **env: str) -> LaunchSpec:
    """Returns how to start `tests/programs/misbehave.py` with this behaviour."""
    return LaunchSpec(
        (sys.executable, "-m", "tests.programs.misbehave", behaviour),
        {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", MEETING_VARIABLE: meeting, **env},
        ROOT,
    )
