from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

import psutil
import pytest

from meetctl.errors import FetchError
from meetctl.local.fetch import (
    LAST_LINES,
    download,
    locked,
    no_progress,
    partial_directory,
    run_tool,
    tool_environment,
)
from tests.meetctl.local.publishing import published

DATA = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(DATA).hexdigest()
WAIT_TIMEOUT_S = 5.0


async def test_a_download_arrives_whole_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    async with published({"file": DATA}) as url:
        await download(
            f"{url}/file",
            tmp_path / "file",
            what="a file",
            sha256=SHA256,
            progress=lambda what, done, total, unit="bytes": told.append((what, done, total)),
        )
    assert (tmp_path / "file").read_bytes() == DATA
    assert told[-1] == ("a file", len(DATA), len(DATA))
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("altered", "has SHA-256"),
        ("cut/file", "(?i)payload|disconnected|content"),
        ("missing", "answered HTTP 404 Not Found"),
    ],
)
async def test_a_download_that_is_not_what_was_promised_is_refused(tmp_path: Path, path: str, message: str) -> None:
    async with published({"altered": DATA[:-1] + b"!", "cut/file": DATA}) as url:
        with pytest.raises(FetchError, match=message) as caught:
            await download(f"{url}/{path}", tmp_path / "file", what="a file", sha256=SHA256, progress=no_progress)
        assert f"{url}/{path}" in caught.value.message


async def test_a_second_fetcher_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    first_in, first_may_go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with locked(tmp_path / "cache"):
            order.append("first in")
            first_in.set()
            await first_may_go.wait()
            order.append("first out")

    async def second() -> None:
        await first_in.wait()
        asyncio.get_running_loop().call_later(0.05, first_may_go.set)
        async with locked(tmp_path / "cache"):
            order.append("second in")

    async with asyncio.timeout(WAIT_TIMEOUT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(first())
        tasks.create_task(second())
    assert order == ["first in", "first out", "second in"]


async def test_waiting_for_another_fetcher_can_be_cancelled(tmp_path: Path) -> None:
    async with locked(tmp_path):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), locked(tmp_path):
                pytest.fail("two hold it")


def test_a_partial_directory_goes_away_and_takes_what_a_killed_fetcher_left(tmp_path: Path) -> None:
    (tmp_path / ".partial-killed").mkdir()
    (tmp_path / ".partial-killed" / "half").write_text("half")
    with pytest.raises(FetchError), partial_directory(tmp_path) as directory:
        (directory / "half").write_text("half")
        assert list(tmp_path.iterdir()) == [directory]
        raise FetchError("cut")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
async def test_a_tools_last_words_and_code_are_kept() -> None:
    lines: list[str] = []
    program = "import sys; [print(i, file=sys.stderr if i % 2 else sys.stdout, flush=True) for i in range(30)]; exit(3)"
    code, last = await run_tool([sys.executable, "-c", program], tool_environment(), on_line=lines.append)
    assert code == 3
    assert lines == [str(i) for i in range(30)]
    assert last == lines[-LAST_LINES:]


@pytest.mark.process
async def test_a_tool_that_is_not_there_is_named() -> None:
    with pytest.raises(FetchError, match="/nowhere/go cannot be started"):
        await run_tool(["/nowhere/go"], {})


@pytest.mark.process
async def test_a_cancelled_tool_is_killed_with_what_it_started() -> None:
    started: asyncio.Queue[str] = asyncio.Queue()
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(600)"
    running = asyncio.create_task(
        run_tool([sys.executable, "-c", parent], tool_environment(), on_line=started.put_nowait)
    )
    grandchild = psutil.Process(int(await asyncio.wait_for(started.get(), WAIT_TIMEOUT_S)))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    _, alive = await asyncio.to_thread(psutil.wait_procs, [grandchild], WAIT_TIMEOUT_S)
    assert alive == []


def test_a_tool_gets_its_own_settings_and_nobody_elses_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "secret")
    environment = tool_environment("GO")
    assert environment["GOPROXY"] == "off"
    assert "LIVEKIT_API_SECRET" not in environment
