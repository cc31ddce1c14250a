"""Turns in which an agent uses its tools: when they run, what is said meanwhile, and what becomes of one cut short."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from meetctl_agents.speaking import speech as speech_module
from meetctl_agents.speaking import tool_turn
from meetctl_agents.speaking.tool_turn import ASKING, FILLERS
from meetctl_agents.tools import approvals
from meetctl_agents.tools.calls import MOST_AT_ONCE

from meetctl.protocol import (
    Decided,
    Grant,
    Line,
    OnInterrupt,
    ToolState,
    UtteranceKind,
)
from tests.meetctl_agents.speaking.tool_stage import ASKED, GRANT, LOOK, staged


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
