"""Turns in which an agent uses its tools: when they run, what is said meanwhile, and what becomes of one cut short."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import llm
from meetctl_agents.speaking import speech as speech_module
from meetctl_agents.speaking import tool_turn
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.speaking.speech import Speech
from meetctl_agents.speaking.tool_turn import ASKING, FILLERS, ToolUse
from meetctl_agents.tools import approvals
from meetctl_agents.tools.calls import MOST_AT_ONCE, Calls
from meetctl_agents.tools.toolbox import Toolbox
from pydantic import SecretStr

from meetctl.protocol import (
    Assignment,
    Decided,
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
from tests.meetctl_agents.speaking.test_answers import OPTIONS, ScriptedVoice

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


async def test_what_a_tool_found_is_what_the_agent_answers_with(tmp_path: Path) -> None:
    async with staged(tmp_path, LOOK, "It is blue forty-two.") as stage:
        assert await stage.said() == "It is blue forty-two."
        assert stage.model.told() == "the code is blue-42"
        assert stage.states() == [ToolState.RUNNING, ToolState.DONE]
        assert stage.events[-1].seconds is not None
        assert stage.active == ["look", ""]


async def test_an_answer_made_ahead_runs_no_tool_before_it_has_the_floor(tmp_path: Path) -> None:
    async with staged(tmp_path, LOOK, "It is blue.") as stage:
        stage.answers.prepare(ASKED)
        await stage.until(lambda: stage.model.asked)
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.module.begun == []
        assert await stage.said() == "It is blue."
        assert stage.module.begun == ["blue"]
        assert len(stage.model.asked) == 2


async def test_text_before_a_call_is_spoken_while_the_tool_runs(tmp_path: Path) -> None:
    async with staged(tmp_path, ("Let me look that up.", [("slow", "{}")]), "There it is.") as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: stage.voice.pieces and stage.module.begun)
        assert stage.voice.pieces == ["Let me look that up."]
        stage.module.gate.set()
        async with asyncio.timeout(10):
            assert await speech.wait_written() == "Let me look that up. There it is."
        await speech.aclose()


@pytest.mark.parametrize(
    ("filler", "language", "said"),
    [
        (None, None, FILLERS["en"]),
        (None, "de-CH", FILLERS["de"]),
        ("Hold on.", None, "Hold on."),
        ("", None, ""),
    ],
)
async def test_where_nothing_was_said_the_agent_says_that_it_takes_a_moment(
    tmp_path: Path, filler: str | None, language: str | None, said: str
) -> None:
    async with staged(tmp_path, [("slow", "{}")], "Done.", filler=filler, language=language) as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: stage.module.begun)
        if said:
            await stage.until(lambda: speech.text)
        stage.module.gate.set()
        async with asyncio.timeout(10):
            assert await speech.wait_written() == f"{said} Done.".strip()
        await speech.aclose()


async def test_a_tool_that_fails_is_told_to_the_model_in_its_words_and_shown(tmp_path: Path) -> None:
    async with staged(tmp_path, [("fails", "{}")], "I could not get in.") as stage:
        assert await stage.said() == "I could not get in."
        assert "the door is shut" in stage.model.told()
        assert stage.states()[-1] is ToolState.FAILED
        assert [warning for warning in stage.warnings if "the door is shut" in warning]
        told = json.dumps([event.model_dump(mode="json") for event in stage.events]) + "".join(stage.warnings)
        assert "hunter22" not in told


async def test_a_tool_that_answers_with_ten_megabytes_is_told_shortly(tmp_path: Path) -> None:
    async with staged(tmp_path, [("long", "{}")], "A lot.") as stage:
        assert await stage.said() == "A lot."
        assert len(stage.model.told()) < 7000
        assert "10000000 characters" in stage.model.told()


async def test_a_tool_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async with staged(tmp_path, [("slow", "{}")], "It takes too long.", timeout_s=0.05) as stage:
        assert await stage.said() == "It takes too long."
        assert "no answer within" in stage.model.told()


@pytest.mark.parametrize(
    "call", [("nonsense", "{}"), ("look", "no JSON"), ("look", '{"word": {"a": 1}}'), ("look", "{}")]
)
async def test_a_call_that_cannot_be_made_is_told_to_the_model(tmp_path: Path, call: tuple[str, str]) -> None:
    async with staged(tmp_path, [call], "That does not work.") as stage:
        assert await stage.said() == "That does not work."
        assert stage.model.told()
        assert stage.module.begun == []
        assert stage.states()[-1] is ToolState.FAILED


async def test_a_model_that_asks_for_tools_for_ever_is_asked_for_words_in_the_end(tmp_path: Path) -> None:
    async with staged(tmp_path, LOOK, LOOK, LOOK, "Enough.", max_steps=3) as stage:
        assert await stage.said() == "Enough."
        assert len(stage.module.begun) == 3
        assert [asked.get("tool_choice") for asked in stage.model.asked] == [None, None, None, "none"]


@pytest.mark.parametrize(("approve", "state"), [((), ToolState.DONE), (("look",), ToolState.ASKED)])
async def test_of_many_calls_of_one_answer_the_first_are_made_and_no_more_are_asked_for(
    tmp_path: Path, approve: tuple[str, ...], state: ToolState
) -> None:
    many = [("look", json.dumps({"word": str(number)})) for number in range(MOST_AT_ONCE + 4)]
    async with staged(tmp_path, many, "There.", approve=approve) as stage:
        await stage.said()
        assert stage.states().count(state) == MOST_AT_ONCE
        await stage.until(lambda: stage.states().count(ToolState.FAILED) == 4)
        assert len(stage.module.begun) == (0 if approve else MOST_AT_ONCE)


async def test_a_tool_may_take_its_time_also_once_the_agent_has_said_that_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_module, "STALL_S", 0.2)
    monkeypatch.setattr(tool_turn, "FILLER_S", 0.01)
    async with staged(tmp_path, [("slow", "{}")], "Done.", filler="Hold on.") as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: speech.text == "Hold on.")
        await asyncio.sleep(3 * speech_module.STALL_S)  # the time itself
        stage.module.gate.set()
        async with asyncio.timeout(10):
            assert await speech.wait_written() == "Hold on. Done."
        await speech.aclose()


async def test_several_tools_of_one_answer_run_side_by_side(tmp_path: Path) -> None:
    both = [("slow", "{}"), ("look", '{"word": "red"}')]
    async with staged(tmp_path, both, "Both.", filler="") as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: len(stage.module.begun) == 2)
        stage.module.gate.set()
        async with asyncio.timeout(10):
            assert await speech.wait_written() == "Both."
        assert "red-42" in stage.model.told() and "it is done" in stage.model.told()
        await speech.aclose()


async def test_what_came_of_a_tool_is_remembered_and_nobody_can_take_it_for_a_person_s_words(tmp_path: Path) -> None:
    async with staged(tmp_path, LOOK, "It is blue.", "As I said.") as stage:
        await stage.said()
        again = Line(id="u2", at=1, speaker="Sam", identity="sam", text="Ada, once more?")
        await stage.said(Grant(grant_id="g2", line=again))
        messages = stage.model.asked[-1]["chat_ctx"].messages()
        told = [message for message in messages if "blue-42" in (message.text_content or "")]
        assert [message.role for message in told] == ["user"]
        assert (told[0].text_content or "").startswith("(You used a tool: look")


@pytest.mark.parametrize("interrupt", [None, OnInterrupt.FINISH, OnInterrupt.CANCEL])
async def test_a_person_who_takes_the_floor_ends_the_turn_and_the_tool_as_the_roster_says(
    tmp_path: Path, interrupt: OnInterrupt | None
) -> None:
    async with staged(tmp_path, [("slow", "{}")], "Hello.", interrupt=interrupt, filler="") as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: stage.module.begun)
        stage.cut(speech)
        stage.answers.hear(Line(id="u2", at=1, speaker="Sam", identity="sam", text="Never mind."))
        if interrupt is OnInterrupt.CANCEL:
            await stage.until(lambda: ToolState.CANCELLED in stage.states())
            assert stage.active[-1] == ""
            return
        await stage.until(lambda: speech.words.ended)
        stage.module.gate.set()
        await stage.until(lambda: ToolState.DONE in stage.states())
        remembered = [line for line in stage.answers._memory.lines if line.kind is UtteranceKind.TOOL]
        assert [line.text for line in remembered] == ["slow {} → gave: it is done"]


async def test_somebody_who_only_coughs_does_not_make_a_tool_run_twice(tmp_path: Path) -> None:
    async with staged(tmp_path, [("slow", "{}")], "There you are.", filler="") as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        await stage.until(lambda: stage.module.begun)
        stage.cut(speech)
        stage.module.gate.set()
        assert await stage.said(GRANT.model_copy(update={"grant_id": "g2"})) == "There you are."
        assert stage.module.begun == ["slow"]


@pytest.mark.parametrize("steps", range(20))
async def test_interrupted_at_any_point_no_call_is_left_open_and_the_next_turn_works(
    tmp_path: Path, steps: int
) -> None:
    async with staged(tmp_path, ("Let me see.", LOOK), LOOK, "It is blue.", interrupt=OnInterrupt.CANCEL) as stage:
        speech = stage.answers.take(GRANT)
        speech.grant()
        for _ in range(steps):
            await asyncio.sleep(0)
        stage.cut(speech)
        stage.answers.hear(Line(id="u2", at=1, speaker="Sam", identity="sam", text="Wait."))
        await stage.until(lambda: speech.words.ended and not stage.calls._running)
        opened = {event.id for event in stage.events if event.is_open}
        closed = {event.id for event in stage.events if not event.is_open}
        assert opened <= closed
        stage.model.steps = ["Yes?"]
        assert await stage.said(Grant(grant_id="g2", line=ASKED.model_copy(update={"id": "u3"}))) == "Yes?"


@pytest.mark.parametrize("filler", [None, ""])
async def test_a_tool_that_a_person_is_to_allow_runs_once_it_is_allowed_and_the_floor_is_held_again(
    tmp_path: Path, filler: str | None
) -> None:
    async with staged(tmp_path, LOOK, "It is blue.", approve=("look",), filler=filler) as stage:
        assert await stage.said() == ASKING["en"]
        assert stage.states() == [ToolState.ASKED]
        assert stage.events[0].arguments == '{"word": "blue"}'
        stage.use.decide(Decided(call_id=stage.events[0].id, allowed=True, by="Sam"))
        await stage.until(lambda: stage.wanted)
        assert stage.module.begun == []
        assert await stage.said(stage.granted_again()) == "It is blue."
        assert stage.module.begun == ["blue"]
        assert stage.states() == [ToolState.ASKED, ToolState.RUNNING, ToolState.DONE]
        assert stage.events[-1].decided_by == "Sam"
        assert len({event.id for event in stage.events}) == 1


@pytest.mark.parametrize(("by", "told"), [("Sam", "refused by Sam"), ("", "nobody allowed it in time")])
async def test_what_is_refused_is_not_done_and_the_model_is_told(tmp_path: Path, by: str, told: str) -> None:
    async with staged(tmp_path, ("I will look.", LOOK), "Then not.", approve=("*",)) as stage:
        assert await stage.said() == "I will look."
        stage.use.decide(Decided(call_id=stage.events[0].id, allowed=False, by=by))
        await stage.until(lambda: stage.wanted)
        assert await stage.said(stage.granted_again()) == "Then not."
        assert stage.module.begun == []
        assert told in stage.model.told()
        assert stage.states() == [ToolState.ASKED, ToolState.REFUSED]


async def test_several_wait_beside_each_other_and_others_speak_meanwhile(tmp_path: Path) -> None:
    both = [("look", '{"word": "red"}'), ("look", '{"word": "green"}')]
    async with staged(tmp_path, both, "Hello.", "One was allowed.", approve=("look",)) as stage:
        await stage.said()
        other = Line(id="u2", at=1, speaker="Eve", identity="eve", text="Ada, hello?")
        assert await stage.said(Grant(grant_id="g2", line=other)) == "Hello."
        first, second = stage.events
        stage.use.decide(Decided(call_id=second.id, allowed=True, by="Sam"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.wanted == []
        stage.use.decide(Decided(call_id=first.id, allowed=False, by="Sam"))
        await stage.until(lambda: stage.wanted)
        assert await stage.said(stage.granted_again()) == "One was allowed."
        assert stage.module.begun == ["green"]
        assert "green-42" in stage.model.told() and "refused by Sam" in stage.model.told()


async def test_where_nobody_says_anything_about_it_the_call_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "APPROVAL_S", 0.01)
    monkeypatch.setattr(approvals, "GRACE_S", 0.01)
    async with staged(tmp_path, LOOK, "Then not.", approve=("look",)) as stage:
        await stage.said()
        await stage.until(lambda: stage.wanted)
        assert await stage.said(stage.granted_again()) == "Then not."
        assert stage.states()[-1] is ToolState.REFUSED


async def test_an_agent_that_leaves_leaves_no_call_open(tmp_path: Path) -> None:
    async with staged(tmp_path, LOOK, "Bye.", approve=("look",)) as stage:
        await stage.said()
    assert stage.states() == [ToolState.ASKED, ToolState.CANCELLED]
