"""Tool servers as they are and as they should not be: real processes, and one over HTTP that nobody here wrote."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from livekit.agents import llm
from meetctl_agents.tools import servers
from meetctl_agents.tools.calls import Calls, Outcome, outcomes
from meetctl_agents.tools.toolbox import Toolbox
from pydantic import SecretStr

from meetctl.protocol import Line, ToolCall, ToolRules, ToolSource
from tests.meetctl_agents.tools.serving import served_over_http

ODD = Path(__file__).parents[2] / "programs/tool_server.py"
WAIT_S = 30.0
"""A server of the mcp package starts within a second or two on an idle machine."""

pytestmark = pytest.mark.process


class Box:
    """A toolbox and what it told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.works: list[str] = []
        self.remembered: list[Line] = []
        self.toolbox: Toolbox
        self.calls: Calls

    def warn(self, what: str, error: object) -> None:
        self.warnings.append(f"{what}: {error}")

    async def until(self, name: str) -> None:
        """Waits until that tool can be used."""
        async with asyncio.timeout(WAIT_S):
            while name not in self.toolbox.offered():
                await asyncio.sleep(0.02)

    async def until_warned(self, words: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while not any(words in warning for warning in self.warnings):
                await asyncio.sleep(0.02)

    async def call(self, name: str, arguments: str = "{}") -> Outcome:
        call = llm.FunctionToolCall(name=name, arguments=arguments, call_id="c1")
        async with asyncio.timeout(WAIT_S):
            return (await outcomes(self.calls.begin([call], self.toolbox.offered())))[0]


@asynccontextmanager
async def box(*sources: ToolSource, **rules: Any) -> AsyncIterator[Box]:
    made = Box()
    given = ToolRules(sources=sources, **rules)
    events: list[ToolCall] = []
    async with Toolbox(given, made.warn, made.works.append) as toolbox:
        made.toolbox = toolbox
        made.calls = Calls(
            given,
            identity="ada",
            name="Ada",
            mask=str,
            report=events.append,  # type: ignore[arg-type]
            warn=made.warn,
            remember=made.remembered.append,
            active=lambda words: None,
            contexts=lambda call: None,
        )
        try:
            yield made
        finally:
            await made.calls.aclose()


def odd(mode: str, *more: str, **source: Any) -> ToolSource:
    return ToolSource(name="odd", command=(sys.executable, str(ODD), mode, *more), **source)


async def test_tools_of_servers_that_nobody_here_wrote_are_used_over_both_ways() -> None:
    time = ToolSource(name="time", command=(sys.executable, "-m", "mcp_server_time"), only=("convert_time",))
    async with served_over_http() as url, box(time, ToolSource(name="stamp", url=url)) as made:
        await made.until("calculate")
        await made.until("convert_time")
        assert "get_current_time" not in made.toolbox.offered()
        assert "391" in (await made.call("calculate", '{"expression": "17*23"}')).output.output
        noon = '{"source_timezone": "Asia/Kathmandu", "time": "12:00", "target_timezone": "UTC"}'
        assert "06:15" in (await made.call("convert_time", noon)).output.output
        wrong = await made.call(
            "convert_time", '{"source_timezone": "Atlantis", "time": "12:00", "target_timezone": "UTC"}'
        )
        assert wrong.output.is_error
        assert "Atlantis" in wrong.output.output
        assert not [warning for warning in made.warnings if "missing" in warning]


async def test_a_server_sees_what_every_child_has_and_its_own_variables_and_nothing_else(tmp_path: Path) -> None:
    source = odd("well", env={"OWN_KEY": SecretStr("mine")})
    rules = {"environment": {"PATH": "/usr/bin", "LANG": "C.UTF-8"}, "folder": str(tmp_path)}
    async with box(source, **rules) as made:
        await made.until("environment")
        folder, *seen = (await made.call("environment")).output.output.splitlines()
        names = {line.partition("=")[0] for line in seen} - {"LC_CTYPE", "PWD"}
        assert (folder, names) == (str(tmp_path), {"PATH", "LANG", "OWN_KEY"})


@pytest.mark.parametrize(
    ("mode", "told"),
    [("dies", "Connection closed"), ("hangs", "no answer within"), ("floods", "Connection closed")],
)
async def test_a_server_that_breaks_in_a_call_fails_it_and_is_started_again(
    mode: str, told: str, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    async with box(odd(mode, str(started)), timeout_s=2.0 if mode == "hangs" else 60.0) as made:
        await made.until("act")
        for _ in range(servers.TIMEOUTS_IN_A_ROW if mode == "hangs" else 1):
            outcome = await made.call("act")
            assert outcome.output.is_error
            assert told in outcome.output.output
        await made.until_warned("the tools of odd are missing")
        await made.until("environment")
        first, second = map(int, started.read_text().split())
        assert not psutil.pid_exists(first) and psutil.pid_exists(second)
        assert not (await made.call("environment")).output.is_error
    assert not psutil.pid_exists(second)


async def test_what_is_no_message_on_its_stdout_and_ten_megabytes_hurt_nobody() -> None:
    async with box(odd("prints")) as made:
        await made.until("act")
        assert (await made.call("act")).output.output == "done"
    async with box(odd("long")) as made:
        await made.until("act")
        assert "10000000 characters" in (await made.call("act")).output.output


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (ToolSource(name="gone", command=("/no/such/program",)), "no such program: /no/such/program"),
        (odd("fails"), "its process ended with code 1"),
        (ToolSource(name="nobody", url="http://127.0.0.1:9/mcp"), "the tools of nobody are missing"),
        (ToolSource(name="file.py", python="/no/such/file.py"), "FileNotFoundError"),
    ],
)
async def test_what_does_not_start_is_named_and_the_agent_goes_on(
    source: ToolSource, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "FIRST_PAUSE_S", 0.01)
    async with box(source, odd("well")) as made:
        await made.until_warned(words)
        await made.until("act")
        assert (await made.call("act")).output.output == "done"
        if source.command:
            await made.until_warned("left alone")


async def test_a_server_that_never_answers_is_given_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "START_S", 0.5)
    async with box(odd("never starts")) as made:
        await made.until_warned("did not start within")


async def test_a_server_that_clings_to_life_is_ended_all_the_same() -> None:
    async with box(odd("clings")) as made:
        await made.until("act")
        pid = int((await made.call("act")).output.output)
    assert not psutil.pid_exists(pid)


async def test_where_a_name_in_approve_is_misspelt_every_tool_of_that_server_waits_for_a_person() -> None:
    async with box(odd("well", approve=("acct",))) as made:
        await made.until("act")
        await made.until_warned("tools are not there: acct")
        assert [one.needs_approval for one in made.toolbox.offered().values()] == [True, True]
    async with box(odd("well", approve=("act",))) as made:
        await made.until("act")
        assert {name: one.needs_approval for name, one in made.toolbox.offered().items()} == {
            "environment": False,
            "act": True,
        }


async def test_of_two_tools_with_one_name_the_second_is_left_out_and_said_so() -> None:
    other = ToolSource(name="other", command=(sys.executable, str(ODD), "dies"))
    async with box(odd("well"), other) as made:
        await made.until("act")
        async with asyncio.timeout(WAIT_S):
            while not any("is left out" in warning for warning in made.warnings):
                made.toolbox.offered()
                await asyncio.sleep(0.02)
        assert (await made.call("act")).output.output == "done"
