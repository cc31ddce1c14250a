"""What an agent says next: made ahead, made when asked, continued; with models that do what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.agents import APIConnectionError, APIStatusError, llm
from meetctl_agents.models.novelty import ANOTHER_WAY, SAY_MORE, NothingNewError
from meetctl_agents.models.prompt import OPEN, YOUR_TURN
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.speaking.moves import NEXT_STEP, OBJECT
from meetctl_agents.speaking.speech import ReplayBuffer, SynthesisedSpeech, rest
from pydantic import SecretStr

from meetctl.protocol import Assignment, CastMember, Endpoint, Grant, Line, Repeats, UtteranceKind
from tests.meetctl_agents.speaking.answer_stage import (
    OPTIONS,
    ScriptedModel,
    ScriptedVoice,
    Stage,
    grant,
    line,
)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.answers.aclose()


async def test_an_answer_made_ahead_is_the_one_that_is_said(stage: Stage) -> None:
    asked = line("Ada, what now?")
    stage.answers.prepare(asked)
    stage.answers.prepare(asked)
    assert await stage.say(grant(1, asked)) == "First of all, hello. Then we test it all again."
    assert len(stage.model.prompts) == 1


async def test_only_the_first_clause_is_spoken_before_it_is_granted(stage: Stage) -> None:
    stage.answers.prepare(line("Ada, what now?"))
    speech = stage.answers.take(grant(1, line("Ada, what now?")))
    async with asyncio.timeout(5):
        await speech.wait_written()
        async for _ in speech.sound.replay():
            break
        assert stage.voice.pieces == ["First of all,"]
        speech.grant()
        async for _ in speech.sound.replay():
            pass
    assert stage.voice.pieces == ["First of all,", "hello. Then we test it all again."]
    await speech.aclose()


@pytest.mark.parametrize("other", [line("Ada, what now, and why?"), line("Ada, what now?", speaker="Eve")])
async def test_an_answer_to_something_else_is_not_said(stage: Stage, other: Line) -> None:
    stage.answers.prepare(line("Ada, what now?"))
    await stage.say(grant(1, other))
    assert len(stage.model.prompts) == 2
    assert other.text in stage.model.prompts[1][-1][1]


async def test_an_answer_made_before_something_was_heard_is_not_said(stage: Stage) -> None:
    stage.answers.prepare(line("Ada, what now?"))
    stage.answers.hear(line("The launch moved.", id="u0", speaker="Eve"))
    await stage.say(grant(1, line("Ada, what now?")))
    assert len(stage.model.prompts) == 2


async def test_what_another_agent_is_about_to_say_is_answered_ahead(stage: Stage) -> None:
    asked, by_max = line("Max and Ada, what now?"), line("We test.", id="g7", speaker="Max")
    stage.answers.hear(asked)
    stage.answers.prepare(by_max)
    stage.answers.hear(by_max.model_copy(update={"at": 5.0}))
    await stage.say(grant(1, asked))
    assert len(stage.model.prompts) == 1


async def test_who_was_cut_off_for_nothing_says_the_rest(stage: Stage) -> None:
    asked = line("Ada, what now?")
    await stage.say(grant(1, asked), heard="First of all, hello. Then")
    assert (await stage.say(grant(2, asked), heard="we test it")) == "we test it all again."
    assert (await stage.say(grant(3, asked))) == "all again."
    assert len(stage.model.prompts) == 1


async def test_who_was_cut_off_before_a_word_was_heard_says_all_of_it(stage: Stage) -> None:
    asked = line("Ada, what now?")
    await stage.say(grant(1, asked), heard="")
    assert (await stage.say(grant(2, asked))).startswith("First of all")
    assert len(stage.model.prompts) == 1


async def test_who_was_cut_off_by_words_answers_them_and_knows_what_it_said(stage: Stage) -> None:
    await stage.say(grant(1, line("Ada, what now?")), heard="First of all")
    await stage.say(grant(2, line("No, about Friday.", id="u2")))
    assert stage.model.prompts[1][-3:] == [
        ("user", "Sam: Ada, what now?"),
        ("assistant", "First of all…"),
        ("user", "Sam: No, about Friday."),
    ]


async def test_given_words_are_said_as_they_are_without_any_model(stage: Stage) -> None:
    assert await stage.say(Grant(grant_id="g1", verbatim="Max: welcome, all of you.")) == "Max: welcome, all of you."
    assert stage.model.prompts == []


async def test_who_speaks_of_its_own_accord_opens_the_meeting_once(stage: Stage) -> None:
    await stage.say(grant(1, None))
    await stage.say(grant(2, None))
    assert stage.model.prompts[0][-1] == ("user", OPEN)
    assert stage.model.prompts[1][-1] == ("user", YOUR_TURN)


async def test_a_model_that_fails_in_the_middle_fails_the_turn_and_leaves_nothing_waiting() -> None:
    stage = Stage("First of all, hello", failure=APIConnectionError())
    speech = stage.answers.take(grant(1, line("Ada?")))
    speech.grant()
    async with asyncio.timeout(5):
        with pytest.raises(APIConnectionError):
            await speech.wait_written()
        async for _ in speech.sound.replay():
            pass
    assert stage.voice.pieces == ["First of all,", "hello"]
    stage.answers.discard(speech)
    await stage.answers.aclose()


async def test_a_model_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stalled() -> AsyncIterator[str]:
        yield "Well, this is it, "
        await asyncio.Event().wait()

    monkeypatch.setattr("meetctl_agents.speaking.speech.STALL_S", 0.05)
    speech = SynthesisedSpeech(stalled(), ScriptedVoice(), OPTIONS)
    speech.grant()
    async with asyncio.timeout(5):
        with pytest.raises(TimeoutError, match="said nothing"):
            await speech.wait_written()
        async for _ in speech.sound.replay():
            pass
    await speech.aclose()


async def test_a_tape_is_heard_from_its_start_by_whoever_comes_late() -> None:
    tape: ReplayBuffer[int] = ReplayBuffer()
    tape.put(1)
    early = asyncio.create_task(_all(tape))
    await asyncio.sleep(0)
    tape.put(2)
    tape.end()
    assert await early == await _all(tape) == [1, 2]


async def _all(tape: ReplayBuffer[int]) -> list[int]:
    return [piece async for piece in tape.replay()]


@pytest.mark.parametrize(
    ("words", "said", "left"),
    [
        (["One two ", "three."], "One two", " three."),
        (["One\ntwo ", "three."], "One two thr", "ee."),
        (["One two"], "One two", ""),
        (["One two"], "Something else", ""),
        (["One two"], "", "One two"),
    ],
)
async def test_the_rest_is_what_comes_after_what_was_said(words: list[str], said: str, left: str) -> None:
    async def written() -> AsyncIterator[str]:
        for word in words:
            yield word

    assert "".join([piece async for piece in rest(written(), said)]).strip() == left.strip()


async def test_what_was_heard_is_read_before_an_answer_is_wanted() -> None:
    stage, reader = Stage(), ScriptedModel("x")
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"))
    answers = Answers(given, stage.model, stage.voice, OPTIONS, reader)
    heard = Line(id="1", at=0, speaker="Sam", identity="sam", text="Max, what do you think?")
    answers.hear(heard)
    async with asyncio.timeout(5):
        while not reader.prompts:
            await asyncio.sleep(0)
    assert reader.prompts[-1][-1] == ("user", "Sam: Max, what do you think?")
    answers.hear(heard.model_copy(update={"id": "2", "text": "Or Ada?"}))
    async with asyncio.timeout(5):
        while len(reader.prompts) < 2:
            await asyncio.sleep(0)
    assert reader.prompts[-1][-2:] == [("user", "Sam: Max, what do you think?"), ("user", "Sam: Or Ada?")]
    assert not stage.model.prompts, "nobody asked for an answer"
    await answers.aclose()
    await stage.answers.aclose()


async def test_who_it_is_and_what_was_said_before_it_came_is_read_at_once() -> None:
    stage, reader = Stage(), ScriptedModel("x")
    said = Line(id="1", at=0, speaker="Sam", identity="sam", text="We launch on Friday.")
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"), transcript=(said,))
    answers = Answers(given, stage.model, stage.voice, OPTIONS, reader)
    answers.read_ahead()
    async with asyncio.timeout(5):
        while not reader.prompts:
            await asyncio.sleep(0)
    assert [role for role, _ in reader.prompts[0]] == ["system", "user"]
    assert reader.prompts[0][-1] == ("user", "Sam: We launch on Friday.")
    await answers.aclose()
    await stage.answers.aclose()


class StrictModel(ScriptedModel):
    """Takes nothing but a person and itself by turns, as many templates of small models do."""

    def chat(self, **asked: Any) -> llm.LLMStream:
        writing = super().chat(**asked)
        roles = [role for role, _ in self.prompts[-1]][1:]
        by_turns = [("user", "assistant")[number % 2] for number in range(len(roles))]
        self.failure = None if roles == by_turns else APIStatusError(self.refusal, status_code=400, body=None)
        self.text = "" if self.failure else "On Friday."
        return writing

    refusal = "Conversation roles must alternate user/assistant/user/assistant/..."


async def test_a_model_that_takes_people_only_by_turns_is_told_facts_another_way_and_answers() -> None:
    model = StrictModel("")
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"))
    answers = Answers(given, model, ScriptedVoice(), OPTIONS)
    answers.hear(
        Line(id="f", at=0, speaker="Chair", identity="chair", kind=UtteranceKind.FACT, text="The budget is 10 euros.")
    )
    for number in (1, 2):
        speech = answers.take(grant(number, line("Ada, when?", id=f"u{number}")))
        async with asyncio.timeout(5):
            assert await speech.wait_written() == "On Friday."
        answers.discard(speech)
    assert len(model.prompts) == 3, "it is refused once"
    assert model.prompts[-1][1:] == [("user", "[The budget is 10 euros.]\nSam: Ada, when?\nSam: Ada, when?")]
    await answers.aclose()


async def test_a_refusal_for_any_other_reason_is_told_as_it_is() -> None:
    model = StrictModel("")
    model.refusal = "the request exceeds the available context size"
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"))
    answers = Answers(given, model, ScriptedVoice(), OPTIONS)
    answers.hear(line("Max, and you?", id="u0"))
    speech = answers.take(grant(1, line("Ada, when?")))
    async with asyncio.timeout(5):
        with pytest.raises(APIStatusError, match="context size"):
            await speech.wait_written()
    answers.discard(speech)
    await answers.aclose()


async def test_an_answer_said_before_is_asked_for_again_unless_somebody_wishes_to_hear_it(
    stage: Stage,
) -> None:
    said = "We should test the backend with real users before the launch."
    stage.model.text = said
    assert (await stage.say(grant(1, line("Ada, what do we do?", id="u1")))).strip() == said
    stage.model.text = f"{said} Then Max writes the mail."
    assert (await stage.say(grant(2, line("Ada, what do we do next?", id="u2")))).strip() == "Then Max writes the mail."
    assert len(stage.model.prompts) == 2
    stage.model.text = said
    with pytest.raises(NothingNewError):
        await stage.say(grant(3, line("Ada, and what then?", id="u3")))
    assert tuple(prompt[-1][1] for prompt in stage.model.prompts[3:]) == ANOTHER_WAY
    assert (await stage.say(grant(4, line("Ada, say that again, please.", id="u4")))).strip() == said
    assert len(stage.model.prompts) == 6


async def test_what_became_of_each_answer_is_counted_once(stage: Stage) -> None:
    said = "We should test the backend with real users before the launch."
    for number, text in enumerate((said, f"{said} Then Max writes the mail.")):
        stage.model.text = text
        await stage.say(grant(number, line("Ada, what do we do?", id=f"u{number}")))
    stage.model.text = said
    speech = stage.answers.take(grant(2, line("Ada, and what then?", id="u2")))
    with pytest.raises(NothingNewError):
        await speech.wait_written()
    stage.answers.discard(speech)
    totals = Repeats()
    for novelty in stage.became:
        totals = novelty.added_to(totals)
    assert totals == Repeats(answers=3, shortened=1, left_out=1)


async def test_among_agents_a_turn_has_a_task_and_what_was_prepared_for_it_is_said() -> None:
    model = ScriptedModel("The mail is late.")
    cast = tuple(CastMember(identity=name.lower(), name=name) for name in ("Ada", "Max"))
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"), cast=cast)
    answers = Answers(given, model, ScriptedVoice(), OPTIONS)
    of_max = line("We should wait.", id="m1", speaker="Max")
    answers.prepare(of_max)
    speech = answers.take(grant(1, of_max))
    async with asyncio.timeout(5):
        await speech.wait_written()
    assert [prompt[-1][1] for prompt in model.prompts] == [OBJECT]
    answers.said(grant(1, of_max), speech, line("The mail is late.", id="g1", speaker="Ada"), cut=False)
    answers.hear(line("It is.", id="m2", speaker="Max"))
    second = answers.take(grant(2, None))
    async with asyncio.timeout(5):
        await second.wait_written()
    assert model.prompts[-1][-1][1] == NEXT_STEP
    answers.discard(second)
    await answers.aclose()


async def test_a_small_models_single_word_to_an_open_question_is_gone_on_with() -> None:
    model = ScriptedModel("On Friday.", then="We begin at noon and stay until the evening.")
    local = Endpoint(base_url="http://h/v1", api_key=SecretStr("k"), model="m", reads_ahead=True)
    given = Assignment(identity="ada", name="Ada", room="r", url="ws://h", token=SecretStr("t"), llm=local)
    answers = Answers(given, model, ScriptedVoice(), OPTIONS)
    for question, said in (
        ("Ada, is it on Friday?", "On Friday."),
        ("Ada, when is it?", "On Friday. We begin at noon and stay until the evening."),
    ):
        speech = answers.take(grant(1, line(question)))
        async with asyncio.timeout(5):
            assert await speech.wait_written() == said
        answers.discard(speech)
    assert [message[1] for message in model.prompts[-1][-2:]] == ["On Friday.", SAY_MORE]
    await answers.aclose()
