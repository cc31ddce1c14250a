"""A meeting under a service manager: the unit is one that systemd takes, and the meeting says when it is up and well.

The manager's end of the socket is the test's own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from testing.fixtures.command import Meetctl
from tests.system.light import WAIT_S, until, written

UNIT = Path(__file__).parents[2] / "configs/meetctl.service"
WATCHDOG_S = 60

Told = Callable[[], str]


def of_unit(key: str) -> str:
    (value,) = [
        line.partition("=")[2] for line in UNIT.read_text(encoding="utf-8").splitlines() if line.startswith(f"{key}=")
    ]
    return value


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")
def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    binary, installed = of_unit("ExecStart").split()[0], tmp_path / "meetctl"
    installed.symlink_to(Path(sys.executable).with_name("meetctl"))  # whose own path may hold a blank
    unit = tmp_path / "meetctl.service"
    unit.write_text(UNIT.read_text(encoding="utf-8").replace(binary, str(installed)), encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert (of_unit("Type"), of_unit("WatchdogSec")) == ("notify", "1min")


@contextmanager
def managed(meetctl: Meetctl, roster: str) -> Iterator[tuple[subprocess.Popen[str], Told]]:
    """Yields what the unit runs, and what returns the next thing that it tells its manager."""
    arguments = of_unit("ExecStart").split()[1:-1]
    path = f"@meetctl-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path.replace("@", "\0"))
        manager.settimeout(WAIT_S)
        variables = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000)}
        with meetctl.start(*arguments, roster, env=variables) as process:
            try:
                yield process, lambda: manager.recv(4_096).decode()
            finally:
                process.kill()


def test_it_says_when_it_is_up_and_well_outlives_a_power_cut_and_says_that_it_ends(meetctl: Meetctl) -> None:
    roster = written(meetctl, "service")
    with managed(meetctl, roster) as (process, told):
        assert {told(), told()} == {"READY=1", "WATCHDOG=1"}
        first = meetctl("link").out
        assert first.startswith("http://127.0.0.1:")
        everybody = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
        for pid in everybody:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(psutil.pid_exists, everybody[1:])), "everybody is gone")
    shutil.rmtree(meetctl.runtime_dir)  # it is made anew at every boot
    with managed(meetctl, roster) as (process, told):
        assert {told(), told()} == {"READY=1", "WATCHDOG=1"}
        assert meetctl("link").out not in ("", first)
        process.terminate()
        while (last := told()) == "WATCHDOG=1":
            pass
        assert last == "STOPPING=1"
        assert process.wait(WAIT_S) == int(of_unit("SuccessExitStatus"))
