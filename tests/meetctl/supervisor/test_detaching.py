from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from meetctl.supervisor.forking import can_fork

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not can_fork(), reason="forking a loaded process is sound on Linux only"),
]

COMMAND = """
import json, os, sys
seen = {
    "argv": sys.argv[1:],
    "leads": os.getsid(0) == os.getpid(),
    "stdin": os.read(0, 10).decode(),
    "open": sorted(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")),
    "loaded": "colorsys" in sys.modules,
}
print(json.dumps(seen))
sys.exit(7)
"""
TYPED = """
import colorsys, os, sys
from meetctl.supervisor.detaching import go_on_detached

output = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
kept, other = os.pipe()
print("held back", end="")
pid = go_on_detached(["odd", "up", "roster.yaml"], output, [kept])
_, status = os.waitpid(pid, 0)
print(" once", os.waitstatus_to_exitcode(status), kept, other)
"""


def test_a_command_goes_on_in_a_session_of_its_own_with_what_was_loaded_and_nothing_else_that_was_open(
    tmp_path: Path,
) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/__main__.py").write_text(COMMAND, encoding="utf-8")
    output = tmp_path / "words"
    ran = subprocess.run(
        [sys.executable, "-c", TYPED, str(output)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        input=b"typed",
        capture_output=True,
        check=True,
        timeout=30,
    )
    words = ran.stdout.decode().split()
    assert words[:4] == ["held", "back", "once", "7"]
    kept = int(words[4])
    seen = json.loads(output.read_text(encoding="utf-8"))
    assert seen == {"argv": ["up", "roster.yaml"], "leads": True, "stdin": "", "open": [0, 1, 2, kept], "loaded": True}
