"""Runs a command and says which lines of the project were run in it, by every Python process below it.

`python -m testing.covered make test`. Children get an environment that names what they may see, and nothing of a
measure; so each process of this environment begins to measure by itself, as long as a `.pth` file lies there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "pyproject.toml"
FOLDER = Path(sys.prefix) / "coverage"
BEGIN = f"import runpy; runpy.run_path({__file__!a})['begin']()"  # ASCII: it is read in the locale's encoding


def begin() -> None:
    """Measures the process that calls it, until it ends; leaves its environment as it was."""
    import coverage

    if coverage.Coverage.current() is not None:
        return
    told = {"COVERAGE_PROCESS_START": str(SETTINGS), "COVERAGE_FILE": str(FOLDER / "data")}
    os.environ.update(told)
    coverage.process_startup()
    for name in told:
        os.environ.pop(name, None)


@contextlib.contextmanager
def measured() -> Iterator[None]:
    """Has every process that starts meanwhile in this environment measured."""
    path = Path(sysconfig.get_path("purelib")) / "meetctl-coverage.pth"
    path.write_text(BEGIN + "\n", encoding="ascii")
    try:
        yield
    finally:
        path.unlink()


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the file goes then too
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with measured():
        code = subprocess.run(command).returncode
    for does in (["combine", "--quiet"], ["report"]):
        coverage = [sys.executable, "-m", "coverage", *does, f"--data-file={FOLDER / 'data'}"]
        subprocess.run(coverage, check=True, cwd=ROOT)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
