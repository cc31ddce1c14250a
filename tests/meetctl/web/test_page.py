"""The page's own checks: its types, and the tests of what it decides."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).parents[3]
CHECK_TIMEOUT_S = 300.0
"""Two seconds each; `npm ci` before them depends on the registry."""


@pytest.mark.process
@pytest.mark.parametrize("script", ["typecheck", "test"])
def test_the_pages_own_checks_pass(script: str) -> None:
    page = ROOT / hatch_build.PAGE
    npm, environment = hatch_build.find_npm()
    commands = [["run", script]] if (page / "node_modules").is_dir() else [["ci", "--include=dev"], ["run", script]]
    for command in commands:
        done = subprocess.run(
            [*npm, *command], cwd=page, env=environment, capture_output=True, text=True, timeout=CHECK_TIMEOUT_S
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_file_names_no_registry() -> None:
    lock = (ROOT / hatch_build.PAGE / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert "registry." not in lock
    assert '"integrity"' in lock
