"""What a child leaves behind is ended, however it was started: a daemon with a clean environment carries no mark."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
WAIT_S = 60.0

PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from meetctl.supervisor.descendants import adopt_orphans
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.protocol.secrets import Masker
from meetctl.supervisor.process import Wire
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.sweep import MEETING_VARIABLE
from tests.meetctl.supervisor.helpers import AnySeat

async def main() -> None:
    directory = Path(sys.argv[1])
    env = {"PATH": os.environ["PATH"], MEETING_VARIABLE: "strays"}
    spec = LaunchSpec(("sh", "-c", sys.argv[2]), env, directory)
    seat = AnySeat(lambda: spec, key="own", program="command", wire=Wire.NONE)
    supervisor = Supervisor(meeting="strays", room="r", log_dir=directory, mask=Masker())
    async with supervisor:
        supervisor.add(seat)
        pids = directory / "pids"
        while not pids.exists() or len(pids.read_text().split()) < 2:
            await asyncio.sleep(0.02)
        if sys.argv[3] == "killed":
            await asyncio.sleep(2.5)  # until the guard was told
            print("ready", flush=True)
            await asyncio.Event().wait()
    print(supervisor.strays_ended, sorted(supervisor.strays_left), flush=True)

assert adopt_orphans()
asyncio.run(main())
"""

LEAVING = """
env -i PIDS="$PWD/pids" setsid sh -c 'echo $$ >>$PIDS; exec sleep 3002' &
(env -i PIDS="$PWD/pids" setsid sh -c 'trap "" TERM; echo $$ >>$PIDS; while :; do sleep 1; done' &) &
exec sleep 3001
"""

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel hands orphans to nobody else here"),
]


def wait_gone(pids: list[int]) -> None:
    until = time.monotonic() + WAIT_S
    while left := [pid for pid in pids if psutil.pid_exists(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_daemons_that_a_command_started_with_a_clean_environment_end_with_the_meeting(tmp_path: Path, how: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), LEAVING, how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as running:
        try:
            assert running.stdout is not None
            said = running.stdout.readline()
            pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
            if how == "killed":
                assert said == "ready\n"
                running.kill()
        finally:
            running.kill() if how == "killed" else running.wait(WAIT_S)
    if how == "stopped":
        ended, left = said.split(" ", 1)
        assert int(ended) >= 2 and left == "[]\n", "the second one ignores SIGTERM"
    wait_gone(pids)
