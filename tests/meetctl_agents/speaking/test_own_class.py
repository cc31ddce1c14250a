"""What agent classes of somebody's own use of livekit-agents: what is honoured here, and what is refused, and why."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import llm
from livekit.agents.utils import is_given
from meetctl_agents.models.errors import ModelError
from meetctl_agents.speaking.own_class import (
    Outside,
    TurnContext,
    leave_out,
    made_from_class,
    tools_of_class,
    unused_of_class,
)
from meetctl_agents.tools.calls import Calls, outcomes
from meetctl_agents.tools.toolbox import Offered

from meetctl.protocol import Model, ToolCall, ToolRules, ToolSource, ToolState

TEAM = """
from livekit.agents import Agent, AgentTask, RunContext, function_tool, llm


@function_tool
async def weather(context: RunContext, location: str) -> str:
    "Tells the weather."
    return f"sunny in {location}"


class Bag(llm.Toolset):
    def __init__(self):
        super().__init__(id="end_call", tools=[weather])


class Own(llm.LLM):
    def chat(self, **asked):
        raise NotImplementedError


class Email(AgentTask[str]):
    def __init__(self):
        super().__init__(instructions="Ask for the address.")


class Kelly(Agent):
    def __init__(self):
        super().__init__(instructions="Your name is Kelly.", tools=[weather, Bag()], llm=Own())
        self.greeted = 0

    async def on_enter(self):
        self.session.generate_reply(instructions="greet them", allow_interruptions=False)
        await self.session.say("Good morning.", add_to_chat_ctx=False)

    @function_tool
    async def transfer(self):
        "Hands over."
        return Kelly()

    @function_tool
    async def transfer_with_words(self):
        "Hands over, and says so."
        return Kelly(), "Kelly takes over."

    @function_tool
    async def address(self) -> str:
        "Asks for an address."
        return await Email()

    @function_tool
    async def count(self, ctx: RunContext) -> int:
        "Counts."
        return ctx.userdata.count

    @function_tool
    async def hold(self, ctx: RunContext) -> str:
        "Says something meanwhile."
        await ctx.wait_for_playout()
        ctx.disallow_interruptions()
        await ctx.session.say("Please hold.")
        return f"{ctx.function_call.name} is done, and {len(self.chat_ctx.items)} were told"

    @function_tool
    async def leave(self, ctx: RunContext) -> str:
        "Puts another in its place."
        ctx.session.update_agent(Kelly())
        return "gone"


class Broken(Agent):
    def __init__(self, *, timezone):
        super().__init__(instructions=timezone)
"""


class Session:
    """As much of an AgentSession as a tool may ask for."""

    _global_run_state = None

    @property
    def userdata(self) -> Any:
        raise ValueError("VoiceAgent userdata is not set")

    def update_agent(self, agent: Any) -> None:
        raise AssertionError("the agent was replaced")


class Used:
    """A class of the team, and what comes of its tools."""

    def __init__(self, agent: Any, wanted: list[tuple[str, bool]]) -> None:
        self.agent = agent
        self.wanted = wanted
        self.warnings: list[str] = []
        self.events: list[ToolCall] = []
        source = ToolSource(name="team.py", python="team.py", agent_class="Kelly")
        self.offered = {name: Offered(tool, source) for name, tool in tools_of_class(agent).items()}
        self.outside: Any = Outside(Session(), lambda text, is_wish: wanted.append((text, is_wish)))  # type: ignore[arg-type]
        self.calls = Calls(
            ToolRules(sources=(source,)),
            identity="kelly",
            name="Kelly",
            mask=str,
            report=self._take,
            warn=lambda what, why: self.warnings.append(f"{what}: {why}"),
            remember=lambda line: None,
            active=lambda names: None,
            contexts=self._context,
        )

    def _take(self, message: Model) -> None:
        if isinstance(message, ToolCall):
            self.events.append(message)

    def _context(self, call: llm.FunctionCall) -> TurnContext:
        handle: Any = SimpleNamespace(num_steps=1, allow_interruptions=True)
        return TurnContext(session=self.outside, speech_handle=handle, function_call=call)

    async def call(self, name: str, arguments: str = "{}") -> str:
        """Returns what the model is told."""
        wanted = llm.FunctionToolCall(name=name, arguments=arguments, call_id="c1")
        (made,) = await outcomes(self.calls.begin([wanted], self.offered))
        return made.output.output


@pytest.fixture
async def kelly(tmp_path: Path) -> Used:
    (tmp_path / "team.py").write_text(TEAM)
    wanted: list[tuple[str, bool]] = []
    agent = await made_from_class(str(tmp_path / "team.py"), "Kelly", lambda text, wish: wanted.append((text, wish)))
    return Used(agent, wanted)


async def test_tools_that_it_is_given_and_tools_that_are_its_methods_are_both_its_tools(kelly: Used) -> None:
    assert {"weather", "transfer", "count"} <= set(kelly.offered)
    assert await kelly.call("weather", '{"location": "Oslo"}') == "sunny in Oslo"


async def test_what_it_brings_and_has_no_use_here_is_named(kelly: Used) -> None:
    assert unused_of_class(kelly.agent) == ["its end_call tools", "its own language model"]


async def test_what_is_left_out_of_it_has_no_effect_in_a_session(kelly: Used) -> None:
    assert leave_out(kelly.agent) == ["its end_call tools", "its own language model"]
    assert unused_of_class(kelly.agent) == []
    assert not is_given(kelly.agent.llm)
    assert "weather" in tools_of_class(kelly.agent)


async def test_nothing_takes_the_conversation_over_when_it_comes(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(
        f"{TEAM}\n\nclass Takes(Agent):\n    def __init__(self): super().__init__(instructions='')\n"
        "    async def on_enter(self):\n        task = Email()\n        await task\n"
    )
    agent = await made_from_class(str(tmp_path / "team.py"), "Takes", lambda text, wish: None)
    with pytest.raises(RuntimeError, match="should only be awaited inside"):
        await agent.on_enter()


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("transfer", "it returned another agent, and who is next is the meeting's to say"),
        ("transfer_with_words", "it returned another agent"),
        ("address", "should only be awaited inside"),
        ("count", "userdata is not set"),
        ("leave", "session.update_agent is not for an agent behind the floor"),
    ],
)
async def test_what_cannot_be_is_told_to_the_model_and_warned_of(kelly: Used, tool: str, words: str) -> None:
    assert words in await kelly.call(tool)
    assert kelly.events[-1].state is ToolState.FAILED
    assert words in kelly.warnings[0]


async def test_what_a_tool_says_by_itself_wants_the_floor(kelly: Used) -> None:
    assert await kelly.call("hold") == "hold is done, and 0 were told"
    assert kelly.wanted == [("Please hold.", False)]


async def test_what_it_wants_to_speak_about_wants_the_floor_too(kelly: Used) -> None:
    handle = kelly.outside.generate_reply(instructions="greet them", allow_interruptions=False)
    await handle
    await handle.wait_for_playout()
    assert kelly.wanted == [("greet them", True)]
    with pytest.raises(TypeError, match="only a text"):
        kelly.outside.say(iter(["a"]))


async def test_one_that_needs_arguments_is_refused(tmp_path: Path) -> None:
    (tmp_path / "team.py").write_text(TEAM)
    with pytest.raises(ModelError, match="Broken cannot be made: TypeError"):
        await made_from_class(str(tmp_path / "team.py"), "Broken", lambda text, wish: None)
    with pytest.raises(ModelError, match="no Agent class named Nobody"):
        await made_from_class(str(tmp_path / "team.py"), "Nobody", lambda text, wish: None)
