"""Direction from outside, against a real supervisor with a chair that tells what it reads."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meetctl.errors import ConflictError, NotRunningError, UsageError
from meetctl.meeting.cast import Cast
from meetctl.meeting.direction import Direction
from meetctl.protocol import Ask, GiveFloor, Model, Mute, RestartPolicy, Say, Speaks, Stop, Tell, Warn, parse_command
from meetctl.protocol.secrets import Masker
from meetctl.roster import AgentEntry, Program
from meetctl.supervisor.events import ChildMessage, SeatEvent, SeatKind
from meetctl.supervisor.launcher import LaunchSpec
from meetctl.supervisor.supervisor import Supervisor
from meetctl.web.direction import MAX_WORDS, Directive
from testing.fixtures.lanes import Lane, starts
from tests.meetctl.supervisor.helpers import ROOT, AnySeat

BOUND_S = 30.0

ENTRIES = {
    entry.identity: entry
    for entry in (
        AgentEntry(name="Ada", identity="ada", program=Program.AUDIO),
        AgentEntry(name="Eve", identity="eve", program=Program.AUDIO, speaks=Speaks.NEVER),
        AgentEntry(name="Legacy", identity="legacy", program=Program.COMMAND),
        AgentEntry(name="Max", identity="max", program=Program.AUDIO),
    )
}


class Stage:
    """A supervisor whose seats are recorders, and what its chair has read."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.cast = SimpleNamespace(entries=dict(ENTRIES), own_chair=True)
        self.direction = Direction(supervisor, cast(Cast, self.cast), "standup")
        self.read: list[Model] = []
        self._news = asyncio.Event()
        supervisor.listen(self._on_event)
        supervisor.listen(self.direction.observe)

    def _on_event(self, event: SeatEvent) -> None:
        match event:
            case ChildMessage(seat="chair", event=Warn(message=line)):
                self.read.append(parse_command(line.encode()))
                self._news.set()
            case _:
                pass

    async def reads(self, count: int) -> list[Model]:
        async with asyncio.timeout(BOUND_S):
            while len(self.read) < count:
                await self._news.wait()
                self._news.clear()
        return self.read

    def seat(self, key: str, kind: SeatKind = SeatKind.AGENT) -> None:
        async def first_line() -> Model:
            return Stop()  # any line will do

        self.supervisor.add(
            AnySeat(
                lambda: LaunchSpec(
                    (sys.executable, "-m", "tests.programs.recorder"), {"PATH": os.environ["PATH"]}, ROOT
                ),
                key=key,
                kind=kind,
                program="chair" if key == "chair" else "audio",
                first_line=first_line,
                restart=RestartPolicy.ALWAYS,
            )
        )

    async def is_ready(self, *keys: str) -> None:
        async with asyncio.timeout(BOUND_S):
            await self.supervisor.wait_until(lambda state: all(state.seats[key].ready for key in keys))


@pytest.fixture
@starts(Lane.PROCESS)
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    supervisor = Supervisor(meeting=f"direction-{os.getpid()}", room="standup", log_dir=tmp_path, mask=Masker(set()))
    async with supervisor:
        stage = Stage(supervisor)
        try:
            yield stage
        finally:
            await stage.direction.aclose()


async def test_each_directive_reaches_the_chair_in_its_own_words_and_a_new_chair_is_told_who_is_muted(
    stage: Stage,
) -> None:
    stage.seat("chair", SeatKind.SERVICE)
    stage.seat("ada")
    stage.seat("max")
    await stage.is_ready("chair", "ada", "max")
    direct = stage.direction.direct
    assert await direct(Directive.SAY, "ADA", " Welcome,\n everyone. ") == {
        "do": "say",
        "identity": "ada",
        "name": "Ada",
    }
    await direct(Directive.ASK, "max", "What is open?")
    assert await direct(Directive.TELL, text="It moved.") == {"do": "tell"}
    await direct(Directive.FLOOR, "Ada")
    await direct(Directive.MUTE, "Ada")
    await direct(Directive.MUTE, "max")
    await direct(Directive.UNMUTE, "max")
    expected = [
        Say(identity="ada", text="Welcome, everyone."),
        Ask(identity="max", text="What is open?"),
        Tell(text="It moved."),
        GiveFloor(identity="ada"),
        Mute(identity="ada"),
        Mute(identity="max"),
        Mute(identity="max", muted=False),
    ]
    assert await stage.reads(7) == expected
    assert stage.direction.muted == {"ada"}
    seen = {agent["identity"]: agent for agent in cast(list[dict[str, Any]], view(stage)["agents"])}
    assert {identity: agent["muted"] for identity, agent in seen.items()} == {"ada": True, "max": False}

    with pytest.raises(UsageError, match="Ada is muted") as muted:
        await direct(Directive.SAY, "ada", "Still here.")
    assert muted.value.hint == "meetctl unmute Ada --room standup"

    assert await stage.supervisor.restart("chair", timeout_s=BOUND_S)
    assert await stage.reads(8) == [*expected, Mute(identity="ada")]
    await stage.supervisor.remove("ada", timeout_s=BOUND_S)
    assert stage.direction.muted == frozenset()


def view(stage: Stage) -> dict[str, Any]:
    """Returns what a host sees of those who have a seat here."""
    stage.cast.entries = {key: ENTRIES[key] for key in ("ada", "max")}
    try:
        return dict(stage.direction.view())
    finally:
        stage.cast.entries = dict(ENTRIES)


@pytest.mark.parametrize(
    ("do", "agent", "text", "message"),
    [
        (Directive.SAY, "Adda", "x", "no agent of standup is named 'Adda'; there is Ada, Eve, Legacy, Max"),
        (Directive.SAY, "", "x", "no agent of standup is named ''"),
        (Directive.MUTE, "chair", "", "no agent of standup is named 'chair'"),
        (Directive.ASK, "Legacy", "x", "Legacy is a program of its own and outside the floor"),
        (Directive.MUTE, "legacy", "", "Legacy is a program of its own and outside the floor"),
        (Directive.SAY, "eve", "x", "Eve never speaks"),
        (Directive.FLOOR, "eve", "", "Eve never speaks"),
        (Directive.SAY, "ada", " \n\u200b ", "there are no words"),
        (Directive.TELL, "", "", "there are no words"),
        (Directive.ASK, "ada", "x" * (MAX_WORDS + 1), f"that is {MAX_WORDS + 1} characters"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_there_is(
    stage: Stage, do: Directive, agent: str, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        await stage.direction.direct(do, agent, text)
    assert refused.value.hint


async def test_without_a_chair_that_hears_it_nothing_is_pretended(stage: Stage) -> None:
    stage.seat("chair", SeatKind.SERVICE)
    with pytest.raises(NotRunningError, match=r"the chair of standup is (waiting|starting), so nobody gives the floor"):
        await stage.direction.direct(Directive.MUTE, "ada")
    assert stage.direction.muted == frozenset()
    await stage.is_ready("chair")
    stage.seat("ada")
    with pytest.raises(NotRunningError, match=r"Ada is not ready: (waiting|starting)"):
        await stage.direction.direct(Directive.SAY, "ada", "x")
    await stage.supervisor.stop("chair", timeout_s=BOUND_S)
    with pytest.raises(NotRunningError, match="the chair of standup is exited"):
        await stage.direction.direct(Directive.TELL, text="x")
    stage.cast.own_chair = False
    with pytest.raises(ConflictError, match="kept by another meetctl"):
        await stage.direction.direct(Directive.TELL, text="x")
    assert stage.read == []
