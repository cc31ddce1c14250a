from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from meetctl.protocol import BadLine, Failed, Ready, Warn
from meetctl.protocol.secrets import Masker
from meetctl.supervisor.events import WireEvent
from meetctl.supervisor.launcher import ExecLauncher
from meetctl.supervisor.logs import ChildLog
from meetctl.supervisor.process import ChildProcess, Wire
from meetctl.supervisor.sweep import group_exists
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.supervisor.helpers import misbehaving

BOUND_S = 10.0
"""Every wait of this file; a child answers in tens of milliseconds."""


class Running:
    """A child and what it said."""

    def __init__(self, process: ChildProcess, log: ChildLog, said: asyncio.Queue[WireEvent]) -> None:
        self.process = process
        self.log = log
        self.said = said

    async def wait_for(self, kind: type[WireEvent]) -> WireEvent:
        async with asyncio.timeout(BOUND_S):
            while not isinstance(event := await self.said.get(), kind):
                pass
            return event


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
@starts(Lane.PROCESS)
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def start(behaviour: str, wire: Wire = Wire.NDJSON, **env: str) -> AsyncIterator[Running]:
        said: asyncio.Queue[WireEvent] = asyncio.Queue()
        log = ChildLog(tmp_path / "child.log", Masker(env.values()))
        child = await ExecLauncher().launch(misbehaving(behaviour, **env))
        async with ChildProcess(child, wire=wire, said=said.put_nowait, log=log) as process:
            yield Running(process, log, said)
        log.close()
        assert not group_exists(process.pid)

    return start


async def test_a_polite_child_leaves_by_itself_when_told_to_stop(start: Start) -> None:
    async with start("polite") as child:
        await child.wait_for(Ready)
        await child.process.stop(timeout_s=BOUND_S)
        assert await child.process.wait() == 0


async def test_a_child_that_ignores_stop_is_ended_by_sigterm(start: Start) -> None:
    async with start("ready_and_stay") as child:
        await child.wait_for(Ready)
        await child.process.stop(timeout_s=1)
        assert await child.process.wait() == -15


async def test_a_child_that_ignores_sigterm_too_is_killed_within_the_deadline(start: Start) -> None:
    async with start("ignores_everything") as child:
        await child.wait_for(Ready)
        began = time.monotonic()
        await child.process.stop(timeout_s=1)
        assert await child.process.wait() == -9
        assert time.monotonic() - began < 5


async def test_a_grandchild_in_the_group_goes_with_the_child_and_does_not_hold_its_seat(start: Start) -> None:
    async with start("grandchild") as child:
        await child.wait_for(Ready)
        async with asyncio.timeout(BOUND_S * 2):
            await child.process.stop(timeout_s=BOUND_S * 2)
            assert await child.process.wait() == 0
    # the fixture asserts that the group is empty


async def test_a_flood_on_stderr_and_of_bad_lines_blocks_nothing_and_loses_no_message(start: Start) -> None:
    async with start("floods") as child:
        assert await child.wait_for(Warn) == Warn(message="flooded")
        async with asyncio.timeout(BOUND_S):
            while not child.log.last_lines():
                await asyncio.sleep(0.01)


async def test_a_line_of_ten_megabytes_is_an_event_and_the_next_message_arrives(start: Start) -> None:
    async with start("long_line") as child:
        bad = await child.wait_for(BadLine)
        assert isinstance(bad, BadLine)
        assert "10000000 bytes" in bad.why
        await child.wait_for(Ready)


async def test_half_a_line_is_an_event(start: Start) -> None:
    async with start("half_a_line") as child:
        await child.wait_for(BadLine)
        assert await child.process.wait() == 0


async def test_a_child_that_closes_its_stdin_is_still_stopped(start: Start) -> None:
    async with start("closes_stdin") as child:
        await child.wait_for(Ready)
        await child.process.stop(timeout_s=1)
        assert await child.process.wait() == -15


async def test_a_secret_that_a_child_prints_is_not_kept(start: Start, tmp_path: Path) -> None:
    async with start("prints_its_secret", SENTINEL="sentinel-4711") as child:
        assert isinstance(await child.wait_for(Failed), Failed)
        await child.process.wait()
        assert child.log.last_lines() == ("the key is •••",)
    assert "sentinel-4711" not in (tmp_path / "child.log").read_text()
    assert (tmp_path / "child.log").stat().st_mode & 0o777 == 0o600
