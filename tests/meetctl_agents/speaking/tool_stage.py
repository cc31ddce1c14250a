"""An agent with tools, whose model asks for what a test says, and who hears what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livekit.agents import llm
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.speaking.speech import Speech
from meetctl_agents.speaking.tool_turn import ToolUse
from meetctl_agents.tools.calls import Calls
from meetctl_agents.tools.toolbox import Toolbox
from pydantic import SecretStr

from meetctl.protocol import (
    Assignment,
    Grant,
    Line,
    Model,
    OnInterrupt,
    ToolCall,
    ToolRules,
    ToolSource,
    ToolState,
    UtteranceKind,
)
from meetctl.protocol.secrets import Masker
from tests.meetctl_agents.speaking.answer_stage import OPTIONS, ScriptedVoice

Step = str | list[tuple[str, str]]
"""What the model writes, or the tools that it asks for; a list may begin with text."""
ASKED = Line(id="u1", at=0, speaker="Sam", identity="sam", text="Ada, what is the code?")
GRANT = Grant(grant_id="g1", line=ASKED)
FILE = """
import asyncio
from livekit.agents import function_tool, llm
begun, gate = [], asyncio.Event()

@function_tool
async def look(word: str) -> str:
    "Looks a word up."
    begun.append(word)
    return f"the code is {word}-42"

@function_tool
async def slow() -> str:
    "Takes its time."
    begun.append("slow")
    await gate.wait()
    return "it is done"

@function_tool
async def fails() -> str:
    "Cannot."
    raise llm.ToolError("the door is shut, said hunter22")

@function_tool
async def long() -> str:
    "Says a lot."
    return "x" * 10_000_000
"""


class ToolModel(llm.LLM[Any]):
    """Takes one step at each request; keeps what it was sent."""

    def __init__(self, *steps: Step | tuple[str, list[tuple[str, str]]]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.asked: list[dict[str, Any]] = []

    def chat(self, **asked: Any) -> llm.LLMStream:
        self.asked.append(asked)
        return _Stepping(self, chat_ctx=asked["chat_ctx"], tools=asked["tools"], conn_options=OPTIONS)

    def told(self) -> str:
        """Returns what it was told of its tools' results at its last request."""
        items = self.asked[-1]["chat_ctx"].items
        return " ".join(item.output for item in items if isinstance(item, llm.FunctionCallOutput))


class _Stepping(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, ToolModel)
        step = model.steps.pop(0) if len(model.steps) > 1 else model.steps[0]
        text, calls = step if isinstance(step, tuple) else (step, []) if isinstance(step, str) else ("", step)
        if text:
            self._event_ch.send_nowait(llm.ChatChunk(id="c", delta=llm.ChoiceDelta(role="assistant", content=text)))
        for index, (name, arguments) in enumerate(calls):
            call = llm.FunctionToolCall(name=name, arguments=arguments, call_id=f"c{len(model.asked)}-{index}")
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
            self._event_ch.send_nowait(llm.ChatChunk(id="c", delta=delta))


class Stage:
    """An agent with the tools of FILE, and everything that it tells."""

    def __init__(self, model: ToolModel, toolbox: Toolbox, rules: ToolRules) -> None:
        self.model, self.voice = model, ScriptedVoice()
        self.warnings: list[str] = []
        self.events: list[ToolCall] = []
        self.active: list[str] = []
        given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"), tools=rules)
        self.calls = Calls(
            rules,
            identity="ada",
            name="Ada",
            mask=Masker(["hunter22"]),
            report=self._take,
            warn=self.warn,
            remember=lambda line: self.answers.remember_tool(line),
            active=self.active.append,
            contexts=lambda call: None,
        )
        self.wanted: list[str] = []
        self.use = ToolUse(toolbox, self.calls, self._want)
        self.answers = Answers(given, self.model, self.voice, OPTIONS, warn=self.warn, tools=self.use)
        self.module: Any = None

    def warn(self, what: str, error: object) -> None:
        self.warnings.append(f"{what}: {error}")

    def _take(self, message: Model) -> None:
        if isinstance(message, ToolCall):
            self.events.append(message)

    async def _want(self, line_id: str) -> None:
        self.wanted.append(line_id)

    def granted_again(self) -> Grant:
        """Returns the grant of the floor that the agent wanted."""
        line = Line(id=self.wanted[-1], at=1, speaker="Ada", identity="ada", kind=UtteranceKind.FACT, text="Decided.")
        return Grant(grant_id="g-again", line=line)

    def states(self) -> list[ToolState]:
        return [event.state for event in self.events]

    async def said(self, grant: Grant = GRANT) -> str:
        """Lets the agent speak until the end."""
        speech = self.answers.take(grant)
        speech.grant()
        async with asyncio.timeout(10):
            text = await speech.wait_written()
        line = Line(id=grant.grant_id, at=0, speaker="Ada", identity="ada", text=text)
        self.answers.said(grant, speech, line, cut=False)
        return text

    def cut(self, speech: Speech, heard: str = "") -> None:
        """A person takes the floor."""
        speech.revoke()
        line = Line(id=GRANT.grant_id, at=0, speaker="Ada", identity="ada", text=heard, interrupted=True)
        self.answers.said(GRANT, speech, line, cut=True)

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def staged(
    folder: Path, *steps: Any, interrupt: OnInterrupt | None = None, approve: tuple[str, ...] = (), **rules: Any
) -> AsyncIterator[Stage]:
    path = folder / "my_tools.py"
    path.write_text(FILE)
    source = ToolSource(name="my_tools.py", python=str(path), on_interrupt=interrupt, approve=approve)
    given = ToolRules(sources=(source,), **rules)
    warnings: list[str] = []
    async with Toolbox(given, lambda what, error: warnings.append(f"{what}: {error}"), lambda about: None) as toolbox:
        async with asyncio.timeout(10):
            while not toolbox.offered():
                assert not warnings
                await asyncio.sleep(0.005)
        stage = Stage(ToolModel(*steps), toolbox, given)
        stage.module = __import__("sys").modules["meetctl_file_my_tools"]
        try:
            yield stage
        finally:
            await stage.answers.aclose()
            await stage.use.aclose()
            await stage.calls.aclose()


LOOK = [("look", '{"word": "blue"}')]
