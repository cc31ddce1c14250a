"""What a child is given of the process that starts it: nothing that its entry does not say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meetctl.supervisor.forking import can_fork
from tests.meetctl.supervisor.helpers import ROOT

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells it in /proc only"),
]

CHILDREN = 20
BOUND_S = 60.0

STARTER = f"""
import asyncio, json, os, resource, signal, sys
from meetctl.supervisor.control import ControlServer, ask
from meetctl.supervisor.forking import ForkLauncher
from meetctl.supervisor.launcher import ExecLauncher, LaunchSpec
from pathlib import Path

async def status(request):
    return {{}}

async def main(way, directory):
    program = (sys.executable, "-m", "tests.programs.light_preloader")
    launcher = ExecLauncher() if way == "exec" else ForkLauncher(program, dict(os.environ))
    spec = LaunchSpec((sys.executable, "-m", "tests.programs.inherits"), dict(os.environ), Path(directory),
                      module="tests.programs.inherits" if way == "fork" else None)

    async def ask_on():
        for turn in range(10_000):
            path = Path(directory, f"{{turn % 7}}.sock")
            async with ControlServer(path, {{"status": status}}):
                await asyncio.gather(*(ask(path, {{"do": "status"}}) for _ in range(3)))

    asking = asyncio.create_task(ask_on())
    children = await asyncio.gather(*(launcher.launch(spec) for _ in range({CHILDREN})))
    said = [await child.stdout.readline() for child in children]
    for child in children:
        child.stdin.close()
    codes = [await child.wait() for child in children]
    for child in children:
        child.close()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await launcher.close()
    print(json.dumps([codes, [json.loads(line) for line in said], len(os.listdir("/proc/self/fd"))]))

asyncio.run(main(*sys.argv[1:]))
"""


def _odd() -> None:
    """Makes of this process what a script, `nohup`, `nice` and a careless parent make of theirs."""
    import resource

    os.umask(0o027)
    os.nice(3)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.dup2(os.open("/dev/null", os.O_RDONLY), 99, inheritable=True)


@pytest.mark.process
@pytest.mark.parametrize(
    "way",
    [
        "exec",
        pytest.param("fork", marks=pytest.mark.skipif(not can_fork(), reason="forking is sound on Linux only")),
    ],
)
def test_each_of_twenty_children_has_what_the_person_had_and_no_signal_ignored_or_blocked(
    way: str, tmp_path: Path, socket_dir: Path
) -> None:
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    done = subprocess.run(
        [sys.executable, "-c", STARTER, way, str(socket_dir)],
        preexec_fn=_odd,
        close_fds=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=BOUND_S,
    )
    assert done.returncode == 0, done.stderr
    codes, children, _ = json.loads(done.stdout)
    assert codes == [0] * CHILDREN
    assert {json.dumps(child, sort_keys=True) for child in children} == {
        json.dumps(
            {
                "umask": 0o027,
                "cwd": str(socket_dir),
                "ignored": sorted((signal.SIGPIPE, signal.SIGXFSZ)),  # by each Python itself
                "blocked": [],
                "descriptors": [0, 1, 2],
                "nice": min(19, nice + 3),
                "files": 700,
                "in a session of its own": True,
            },
            sort_keys=True,
        )
    }
