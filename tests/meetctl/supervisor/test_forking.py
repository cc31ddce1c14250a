from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from meetctl.protocol import Step
from meetctl.supervisor import forking
from meetctl.supervisor.forking import ForkLauncher, can_fork
from meetctl.supervisor.launcher import Child, LaunchSpec
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.supervisor.helpers import ROOT, misbehaving

pytestmark = pytest.mark.skipif(not can_fork(), reason="forking a loaded process is sound on Linux only")

BOUND_S = 30.0
ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.fixture
@starts(Lane.PROCESS)
async def launcher(tmp_path: Path) -> AsyncIterator[ForkLauncher]:
    program = (sys.executable, "-m", "tests.programs.light_preloader")
    # The test's programs are found as installed ones are: where the prepared process looks.
    launcher = ForkLauncher(program, {**ENVIRONMENT, "PYTHONPATH": f"{ROOT}:{tmp_path}"})
    yield launcher
    await launcher.close()


def spec(body: str, tmp_path: Path, **env: str) -> LaunchSpec:
    """Returns how to run this text as a module, forked."""
    module = f"forked_{abs(hash(body))}"
    (tmp_path / f"{module}.py").write_text(body)
    argv = (sys.executable, "-m", module)
    return LaunchSpec(argv, {**ENVIRONMENT, **env}, tmp_path, module=module)


async def ended(child: Child) -> tuple[int, bytes, bytes]:
    async with asyncio.timeout(BOUND_S):
        out, err, code = await asyncio.gather(child.stdout.read(), child.stderr.read(), child.wait())
    child.close()
    return code, out, err


async def test_a_forked_program_has_its_own_streams_environment_directory_and_group(
    launcher: ForkLauncher, tmp_path: Path
) -> None:
    body = (
        "import os, sys\n"
        "word = sys.stdin.readline().strip()\n"
        "print(word, os.environ['WHO'], 'PATH' in os.environ, os.getcwd(), os.getpid() == os.getpgid(0), __name__)\n"
        "print('trouble', file=sys.stderr)\n"
        "sys.exit(7)\n"
    )
    child = await launcher.launch(spec(body, tmp_path, WHO="ada"))
    child.stdin.write(b"hello\n")
    code, out, err = await ended(child)
    assert (code, err) == (7, b"trouble\n")
    assert out.decode() == f"hello ada True {tmp_path} True __main__\n"


async def test_several_are_forked_from_one_prepared_process(launcher: ForkLauncher, tmp_path: Path) -> None:
    body = "import os, sys\nprint(os.getppid())\nsys.stdin.read()\n"
    children = await asyncio.gather(*(launcher.launch(spec(body, tmp_path)) for _ in range(5)))
    parents = {await child.stdout.readline() for child in children}
    assert len(parents) == 1
    assert len({child.id.pid for child in children}) == 5
    for child in children:
        child.stdin.close()
    assert [code for code, _, _ in await asyncio.gather(*map(ended, children))] == [0] * 5


async def test_a_forked_child_that_is_killed_tells_its_signal(launcher: ForkLauncher, tmp_path: Path) -> None:
    child = await launcher.launch(spec("import time\nprint('up', flush=True)\ntime.sleep(60)\n", tmp_path))
    await child.stdout.readline()
    assert child.signal_group(signal.SIGKILL)
    assert (await ended(child))[0] == -9
    assert not child.signal_group(signal.SIGKILL)


async def test_a_child_outlives_its_prepared_process_and_the_next_fork_has_a_new_one(
    launcher: ForkLauncher, tmp_path: Path
) -> None:
    body = "import os, sys\nprint(os.getppid(), flush=True)\nsys.stdin.read()\nprint('still here', flush=True)\n"
    child = await launcher.launch(spec(body, tmp_path))
    prepared = int(await child.stdout.readline())
    os.kill(prepared, signal.SIGKILL)
    child.stdin.close()
    assert await child.stdout.readline() == b"still here\n"
    code, _, _ = await ended(child)
    assert code == -9, "its code went along with its parent"
    second = await launcher.launch(spec(body, tmp_path))
    assert int(await second.stdout.readline()) != prepared
    second.stdin.close()
    assert (await ended(second))[0] == 0


async def test_a_prepared_process_that_stands_still_hides_no_end_and_keeps_no_seat_empty(
    launcher: ForkLauncher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forking, "ANSWER_S", 0.5)
    monkeypatch.setattr(forking, "REPORT_S", 0.2)
    body = "import os, sys\nprint(os.getppid(), flush=True)\nsys.stdin.read()\n"
    first, second = [await launcher.launch(spec(body, tmp_path)) for _ in range(2)]
    prepared = int(await first.stdout.readline())
    os.kill(prepared, signal.SIGSTOP)
    assert first.signal_group(signal.SIGKILL)
    assert (await ended(first))[0] == -9
    third = await launcher.launch(replace(spec("print('by exec')\n", tmp_path), cwd=tmp_path))
    assert await ended(third) == (0, b"by exec\n", b"")
    assert not psutil.pid_exists(prepared)
    fourth = await launcher.launch(spec(body, tmp_path))
    assert int(await fourth.stdout.readline()) not in (prepared, os.getpid())
    for child in (second, fourth):
        child.stdin.close()
        await ended(child)


async def test_what_is_no_program_of_ours_is_executed(launcher: ForkLauncher) -> None:
    child = await launcher.launch(misbehaving("crash"))
    assert (await ended(child))[0] == 3


@pytest.mark.process
async def test_where_nothing_can_be_prepared_the_program_is_executed(tmp_path: Path) -> None:
    broken = (sys.executable, "-c", "raise SystemExit(1)")
    launcher = ForkLauncher(broken, ENVIRONMENT)
    child = await launcher.launch(replace(spec("print('by exec')\n", tmp_path), cwd=tmp_path))
    assert await ended(child) == (0, b"by exec\n", b"")
    await launcher.close()


@pytest.mark.process
async def test_nothing_is_left_of_the_prepared_process(tmp_path: Path) -> None:
    program = (sys.executable, "-m", "tests.programs.light_preloader")
    pids: list[int] = []
    launcher = ForkLauncher(program, {**ENVIRONMENT, "PYTHONPATH": f"{ROOT}:{tmp_path}"}, pids.append)
    child = await launcher.launch(spec("print('x')\n", tmp_path))
    assert await ended(child) == (0, b"x\n", b"")
    await launcher.close()
    assert len(pids) == 1
    assert not psutil.pid_exists(pids[0])


@pytest.mark.process
async def test_where_somebody_asks_a_prepared_process_tells_what_it_loads_and_goes_on_to_fork(tmp_path: Path) -> None:
    told: list[Step] = []
    program = (sys.executable, "-m", "tests.programs.light_preloader", "--also=wave")
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    launcher = ForkLauncher(program, environment, told=told.append)
    try:
        code, out, _ = await ended(await launcher.launch(spec("import sys; print('wave' in sys.modules)", tmp_path)))
    finally:
        await launcher.close()
    assert (code, out) == (0, b"True\n")
    assert [step.name for step in told] == ["wave"]
    assert told[0].began <= told[0].ended
