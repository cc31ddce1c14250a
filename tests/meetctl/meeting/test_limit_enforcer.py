"""Limits of real processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from meetctl.meeting.limit_enforcer import LimitEnforcer
from meetctl.meeting.sampling import sample_forever
from meetctl.protocol.secrets import Masker
from meetctl.roster import AgentEntry, Budget, Limits, Program
from meetctl.supervisor.events import Exited, SeatEvent, Warned
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.state import ProcessState, SeatState
from meetctl.supervisor.supervisor import Supervisor
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.supervisor.helpers import AnySeat

ROOT = Path(__file__).parents[3]
BOUND_S = 60.0


class Kept:
    """A supervisor whose agents are kept within their limits."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.events: list[SeatEvent] = []
        self.entries: dict[str, AgentEntry] = {}
        self.tasks: list[asyncio.Task[None]] = []
        supervisor.listen(self.events.append)
        supervisor.listen(LimitEnforcer(supervisor, self.entries, self.own).observe)
        self.own(sample_forever(supervisor))

    def own(self, work: Awaitable[None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def seat(self, megabytes: int, *tokens: int, limits: Limits | None = None, budget: Budget | None = None) -> None:
        argv = (sys.executable, "-m", "tests.programs.spender", str(megabytes), *map(str, tokens))
        self.entries["ada"] = AgentEntry(
            name="Ada", identity="ada", program=Program.AUDIO, limits=limits or Limits(), budget=budget or Budget()
        )
        spec = LaunchSpec(argv, {"PATH": os.environ["PATH"]}, ROOT)
        self.supervisor.add(AnySeat(lambda: spec))

    async def reaches(self, state: ProcessState) -> SeatState:
        async with asyncio.timeout(BOUND_S):
            reached = await self.supervisor.wait_until(lambda meeting: meeting.seats["ada"].state is state)
        return reached.seats["ada"]


@pytest.fixture
@starts(Lane.PROCESS)
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    meeting = f"kept-{os.getpid()}"
    async with Supervisor(
        meeting=meeting, room="standup", log_dir=tmp_path, mask=Masker([]), stop_timeout_s=2
    ) as supervisor:
        kept = Kept(supervisor)
        yield kept
        for task in kept.tasks:
            task.cancel()
        await asyncio.gather(*kept.tasks, return_exceptions=True)


async def test_an_agent_that_uses_too_much_memory_leaves_in_order_comes_back_and_is_fatal_the_third_time(
    kept: Kept, tmp_path: Path
) -> None:
    kept.seat(60, limits=Limits(memory_mb=40))
    seat = await kept.reaches(ProcessState.FATAL)
    assert seat.starts == 3
    assert seat.last_error is not None and "of memory; its limit is 40 MB" in seat.last_error
    assert "3 times" in seat.last_error
    assert seat.hint is not None and "memory" in seat.hint
    exits = [event.returncode for event in kept.events if isinstance(event, Exited)]
    assert exits == [0, 0, 0], "each was asked to leave, and did"
    assert (tmp_path / "ada.log").read_text().count("leaves with 60000000 bytes") == 3


async def test_an_agent_near_its_memory_limit_is_warned_of_once_and_stays(kept: Kept) -> None:
    kept.seat(60, limits=Limits(memory_mb=76))
    async with asyncio.timeout(BOUND_S):
        state = await kept.supervisor.wait_until(lambda meeting: meeting.seats["ada"].warning is not None)
    assert state.seats["ada"].warning is not None and "of 76 MB that it may" in state.seats["ada"].warning
    assert (await kept.reaches(ProcessState.RUNNING)).starts == 1


async def test_an_agent_whose_budget_is_spent_leaves_in_order_and_is_not_started_again(
    kept: Kept, tmp_path: Path
) -> None:
    kept.seat(1, 10, 85, 120, budget=Budget(llm_tokens=100))
    seat = await kept.reaches(ProcessState.EXITED)
    assert seat.starts == 1
    assert seat.last_error == "its budget is spent: 120 of 100 tokens of its language model"
    assert [event.message for event in kept.events if isinstance(event, Warned)] == [
        "has spent 85 of 100 tokens of its language model"
    ]
    assert "leaves with" in (tmp_path / "ada.log").read_text()
    assert kept.supervisor.pids() == {}


async def test_a_person_may_start_one_again_whose_budget_was_spent(kept: Kept) -> None:
    kept.seat(1, 120, budget=Budget(llm_tokens=100))
    await kept.reaches(ProcessState.EXITED)
    kept.entries["ada"] = kept.entries["ada"].model_copy(update={"budget": Budget(llm_tokens=130)})
    await kept.supervisor.restart("ada", timeout_s=1)
    assert (await kept.reaches(ProcessState.RUNNING)).starts == 2
