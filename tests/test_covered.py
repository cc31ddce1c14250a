"""What `make coverage` counts."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], env={}, cwd="/", check=True)
sys.exit(3)
"""
CHILD = """
import os
from meetctl.settings import slug
if os.fork() == 0:
    slug("Zoë K.")
    os._exit(0)
os.wait()
assert not [name for name in os.environ if "COVERAGE" in name]
"""


@pytest.mark.process
def test_a_forked_child_of_a_child_that_was_told_nothing_is_measured_and_the_commands_code_is_kept(
    tmp_path: Path,
) -> None:
    venv.create(tmp_path, symlinks=True)  # a place of its own: whoever else runs here is not to be measured
    python = str(tmp_path / "bin" / "python")
    (packages,) = tmp_path.glob("lib/python*/site-packages")
    # As code, and in ASCII: Python 3.11 reads these files in the locale's encoding.
    places = ascii([sysconfig.get_path("purelib"), str(ROOT)])
    (packages / "all.pth").write_text(f"import sys; sys.path.extend({places})\n", encoding="ascii")
    for name in os.listdir(sysconfig.get_path("purelib")):  # a folder that is named in one is not searched for more
        if name.startswith("_editable_impl"):
            (packages / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)
    ran = subprocess.run(
        [python, "-m", "testing.covered", python, "-c", PARENT, CHILD],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 3, ran.stderr
    report = re.search(r"^meetctl/settings\.py .* (\d+)%$", ran.stdout, re.M)
    assert report, ran.stdout + ran.stderr
    assert re.search(r"^TOTAL ", ran.stdout, re.M)
    assert not list(packages.glob("*coverage.pth"))
    lines = subprocess.run(
        [
            python,
            "-m",
            "coverage",
            "report",
            f"--data-file={tmp_path / 'coverage' / 'data'}",
            "-m",
            "--include=*/settings.py",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    body = (ROOT / "meetctl/settings.py").read_text(encoding="utf-8").splitlines().index("    import unicodedata") + 1
    missing = re.findall(r"\d+(?:-\d+)?", lines.splitlines()[2].split("%", 1)[1])
    spans = [(int(one.split("-")[0]), int(one.split("-")[-1])) for one in missing]
    assert spans, "something in it is not run"
    assert not any(first <= body <= last for first, last in spans), lines
