"""A realtime model that uses tools: under the floor like any other, and no call is ever left open in its session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from meetctl_agents.speaking.tool_turn import ASKING, FILLERS, ToolUse
from meetctl_agents.tools.calls import Calls
from meetctl_agents.tools.toolbox import Toolbox

from meetctl.protocol import Decided, Grant, Line, Model, ToolCall, ToolRules, ToolSource, ToolState, UtteranceKind
from testing.agents.realtime_server import Asked, RealtimeServer, realtime_server
from testing.agents.scripted_models import Asks
from tests.meetctl_agents.realtime.stage import Stage, line, staged
from tests.meetctl_agents.speaking.tool_stage import FILE

LOOK = Asks((("look", '{"word": "blue"}'),))
SLOW = Asks((("slow", "{}"),))


class Table:
    """An agent with the tools of FILE and a realtime model."""

    def __init__(self, server: RealtimeServer) -> None:
        self.server = server
        self.stage: Stage
        self.use: ToolUse
        self.module: Any = None
        self.events: list[ToolCall] = []
        self.wanted: list[str] = []

    def take(self, message: Model) -> None:
        if isinstance(message, ToolCall):
            self.events.append(message)

    async def want(self, line_id: str) -> None:
        self.wanted.append(line_id)

    def granted_again(self) -> Grant:
        """Returns the grant of the floor that the agent wanted."""
        wanted = Line(id=self.wanted[-1], at=1, speaker="Ada", identity="ada", kind=UtteranceKind.FACT, text="Decided.")
        return Grant(grant_id="g-again", line=wanted)


@asynccontextmanager
async def table(folder: Path, writes: Callable[[Asked], str | Asks], *approve: str) -> AsyncIterator[Table]:
    path = folder / "my_tools.py"
    path.write_text(FILE)
    rules = ToolRules(sources=(ToolSource(name="my_tools.py", python=str(path), approve=approve),))
    async with AsyncExitStack() as stack:
        one = Table(await stack.enter_async_context(realtime_server(writes)))
        toolbox = await stack.enter_async_context(Toolbox(rules, lambda *_: None, lambda _: None))
        async with asyncio.timeout(10):
            while not toolbox.offered():
                await asyncio.sleep(0.005)
        one.module = __import__("sys").modules["meetctl_file_my_tools"]
        calls = Calls(
            rules,
            identity="ada",
            name="Ada",
            mask=str,
            report=one.take,
            warn=lambda *_: None,
            remember=lambda told: one.stage.answers.remember_tool(told),
            active=lambda _: None,
            contexts=lambda _: None,
        )
        stack.push_async_callback(calls.aclose)
        one.use = ToolUse(toolbox, calls, one.want)
        stack.push_async_callback(one.use.aclose)
        one.stage = await stack.enter_async_context(staged(one.server, one.use))
        yield one


def last(asked: Asked) -> str:
    return asked.heard[-1] if asked.heard else ""


async def test_what_a_tool_found_is_what_it_answers_with(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        return "Blue forty-two." if last(asked) == "result the code is blue-42" else LOOK

    async with table(tmp_path, script) as at:
        assert await at.stage.says(Grant(grant_id="g1", line=line(1, "Ada, the code?"))) == "Blue forty-two."
        session = at.stage.session
        assert {"look", "slow", "fails", "long"} <= set(session.tools)
        assert [asked.heard[1:] for asked in session.asked] == [
            [],
            ['call look {"word": "blue"}', "result the code is blue-42"],
        ]
        at.stage.answers.hear(line(2, "Thank you."))
        await at.stage.until(lambda: any("Thank you" in text for text in map(str, session.items)))
        assert [one["type"] for one in session.items] == ["message"] * 4  # the call is remembered as what it came to
        assert (session.refused, at.stage.warnings) == ([], [])


async def test_words_before_a_call_are_heard_and_those_after_it_follow(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        if last(asked).startswith("result"):
            return "Blue forty-two."
        return Asks(LOOK.calls, "Let me look.")

    async with table(tmp_path, script) as at:
        said = await at.stage.says(Grant(grant_id="g1", line=line(1, "Ada, the code?")))
        assert said == "Let me look. Blue forty-two."
        at.stage.answers.hear(line(2, "Thank you."))
        await at.stage.says(Grant(grant_id="g2", line=line(3, "Ada?")))
        own = [one["id"] for one in at.stage.session.items if one.get("role") == "assistant"]
        spoken = [one.item_id for one in at.stage.session.responses if one.sent_ms]
        assert own == spoken  # with their sound, in their order


async def test_where_a_tool_takes_its_time_the_model_says_so_itself(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        if FILLERS["en"] in asked.instructions:
            assert not asked.may_call
            return "One moment, please."
        return "It is done." if last(asked).startswith("result") else SLOW

    async with table(tmp_path, script) as at:
        speech = at.stage.begin(Grant(grant_id="g1", line=line(1, "Ada, do it.")))
        await at.stage.until(lambda: "moment" in speech.text)
        at.module.gate.set()
        async with asyncio.timeout(10):
            assert await speech.wait_written() == "One moment, please. It is done."


async def test_a_call_that_a_person_is_to_allow_waits_and_is_done_when_it_is(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        if ASKING["en"] in asked.instructions:
            return "I have to ask."
        if last(asked).startswith("result"):
            return "Blue forty-two."
        return "I am well." if "how are" in last(asked) else LOOK

    async with table(tmp_path, script, "look") as at:
        asking = Grant(grant_id="g1", line=line(1, "Ada, the code?"))
        assert await at.stage.says(asking) == "I have to ask."
        assert await at.stage.says(Grant(grant_id="g2", line=line(2, "Ada, how are you?"))) == "I am well."
        (asked,) = [event for event in at.events if event.state is ToolState.ASKED]
        at.use.decide(Decided(call_id=asked.id, allowed=True, by="the host"))
        await at.stage.until(lambda: at.wanted)
        assert await at.stage.says(at.granted_again()) == "Blue forty-two."
        assert at.stage.session.refused == []


async def test_interrupted_at_every_point_of_a_call_none_is_left_open_and_the_next_turn_works(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        if "are you there" in last(asked):
            return "I am here."
        if last(asked).startswith("result"):
            return "Blue forty-two, as far as anybody knows."
        return Asks(LOOK.calls, "Let me look it up.")

    async with table(tmp_path, script) as at:
        for index in range(20):
            grant = Grant(grant_id=f"g{index}", line=line(2 * index, "Ada, the code?"))
            speech = at.stage.begin(grant)
            await asyncio.sleep(index * 0.015)  # each time at another point
            heard = sum(frame.duration for frame in speech.sound.pieces) / 2
            at.stage.end(grant, speech, speech.text[: len(speech.text) // 2], heard_s=heard)
            at.stage.answers.hear(line(2 * index + 1, "Wait."))
            there = Grant(grant_id=f"h{index}", line=line(2 * index + 1, "Ada, are you there?"))
            assert await at.stage.says(there) == "I am here."
            await at.stage.until(lambda: at.stage.session.open_calls == [])
        assert at.stage.warnings == []
        assert len(at.server.sessions) == 1


async def test_a_session_that_drops_once_a_tool_was_asked_for_does_not_make_it_run_twice(tmp_path: Path) -> None:
    def script(asked: Asked) -> str | Asks:
        return "Blue forty-two." if last(asked).startswith("result") else LOOK

    async with table(tmp_path, script) as at:
        at.server.drops_after_call = True
        assert await at.stage.says(Grant(grant_id="g1", line=line(1, "Ada, the code?"))) == "Blue forty-two."
        assert at.module.begun == ["blue"]
