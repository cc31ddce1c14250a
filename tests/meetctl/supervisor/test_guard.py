from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from meetctl.supervisor.guard_client import GuardClient
from meetctl.supervisor.launcher import ExecLauncher
from meetctl.supervisor.sweep import group_exists, marked
from tests.meetctl.supervisor.helpers import ROOT, misbehaving

pytestmark = pytest.mark.process

GONE_S = 15.0
"""The promise is three seconds; the machine may be busy."""

SUPERVISE = """
import asyncio, sys
from meetctl.supervisor.guard_client import GuardClient
from meetctl.supervisor.launcher import ExecLauncher
from pathlib import Path
from tests.meetctl.supervisor.helpers import misbehaving

async def main():
    guard = GuardClient(sys.argv[1], (Path(sys.argv[2]),), Path(sys.argv[2] + ".note"))
    guard.start()
    for behaviour in ("ignores_everything", "runaway_grandchild"):
        child = await ExecLauncher().launch(misbehaving(behaviour, sys.argv[1]))
        await child.stdout.readline()
        guard.add(child.id.pid)
    print("started", guard.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_a_killed_supervisor_leaves_no_process_and_no_file_behind(tmp_path: Path) -> None:
    meeting = f"test-guard-{os.getpid()}"
    left_file = tmp_path / "config-with-secret"
    left_file.write_text("secret")
    note = tmp_path / "config-with-secret.note"
    note.write_text("{}")
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, meeting, str(left_file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    word, guard_pid = supervisor.stdout.readline().split()
    assert word == "started"
    assert len(marked(meeting)) >= 3
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    until = time.monotonic() + GONE_S
    while (marked(meeting) or psutil.pid_exists(int(guard_pid))) and time.monotonic() < until:
        time.sleep(0.05)
    assert marked(meeting) == set()
    assert not psutil.pid_exists(int(guard_pid)), "the guard itself must end"
    assert not left_file.exists()
    assert not note.exists()


@pytest.mark.parametrize("by_news", [True, False])
async def test_a_guard_that_was_killed_is_replaced_and_knows_what_the_first_knew(by_news: bool) -> None:
    meeting = f"test-guard-replaced-{os.getpid()}-{by_news}"
    guard = GuardClient(meeting, ())
    guard.start()
    child = await ExecLauncher().launch(misbehaving("ready_and_stay", meeting))
    guard.add(child.id.pid)
    first = guard.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(GONE_S):
        while psutil.pid_exists(first) and psutil.Process(first).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
    if by_news:
        guard.remove(999_999_999)
    async with asyncio.timeout(GONE_S):
        while guard.pid == first:
            await asyncio.sleep(0.05)
    await guard.finish()
    assert not group_exists(child.id.pid)
    assert await child.wait() == -signal.SIGTERM
    child.close()
