"""What goes wrong with a realtime session, and what becomes of the agent then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import APIConnectionError, APIStatusError, llm
from meetctl_agents.models.errors import MissingModelError, ModelError
from meetctl_agents.models.speech_faults import SpeechFaults
from meetctl_agents.models.unsaid import unsaid_from
from meetctl_agents.models.usage import UsageMeter
from meetctl_agents.realtime import conversation as conversation_module
from meetctl_agents.realtime import renewal
from meetctl_agents.realtime.conversation import OVER, UNASKED
from meetctl_agents.realtime.faults import fault_from
from meetctl_agents.realtime.model import realtime_from_endpoint, refusals
from meetctl_agents.realtime.renewal import LOST
from meetctl_agents.speaking.making import answers_from_assignment
from meetctl_agents.speaking.own_class import made_from_class
from meetctl_agents.speaking.speech import STALL_S
from pydantic import SecretStr

from meetctl.protocol import Assignment, Grant, Unsaid, Voice
from testing.agents.realtime_server import Asked, RealtimeServer, realtime_server
from tests.meetctl_agents.realtime.stage import endpoint_of, line, staged

SAID = "It is Friday, as far as I know, unless somebody moved it."


@pytest.fixture
async def server() -> AsyncIterator[RealtimeServer]:
    def script(asked: Asked) -> str:
        return SAID

    async with realtime_server(script) as running:
        yield running


def grant(number: int, text: str = "Ada?") -> Grant:
    return Grant(grant_id=f"g{number}", line=line(number, text))


@pytest.fixture
def renewed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the next session opened long before the present one ends, however slow the machine."""
    monkeypatch.setattr(renewal, "BEFORE_PART", 0.95)


@pytest.mark.usefixtures("renewed_soon")
async def test_a_session_is_renewed_beside_the_running_one_and_knows_all(server: RealtimeServer) -> None:
    server.lasts_s = 20.0
    async with staged(server) as stage:
        first = stage.session
        stage.answers.hear(line(1, "The key is under the mat."))
        assert await stage.says(grant(2)) == SAID
        server.lasts_s = None
        await stage.until(lambda: len(server.sessions) == 2 and server.sessions[1].items)
        second = server.sessions[1]
        stage.answers.hear(line(3, "And the door is green."))
        await stage.until(lambda: first.closed_at is not None)
        assert await stage.says(grant(4, "Ada, what do you know?")) == SAID
        assert second.asked[-1].heard == [
            "user: Sam: The key is under the mat.",
            "user: Sam: Ada?",
            f"assistant: {SAID}",
            "user: Sam: And the door is green.",
            "user: Sam: Ada, what do you know?",
        ]
        assert first.closed_at is not None and second.opened_at < first.closed_at
        assert stage.warnings == []


@pytest.mark.usefixtures("renewed_soon")
async def test_a_session_is_not_renewed_while_its_answer_is_made_or_heard(server: RealtimeServer) -> None:
    server.lasts_s = 10.0
    async with staged(server) as stage:
        first = stage.session
        speech = stage.begin(grant(1))
        server.lasts_s = None
        await stage.until(lambda: len(server.sessions) == 2)
        async with asyncio.timeout(10):
            assert await speech.wait_written() == SAID
        assert [response.status for response in first.responses] == ["completed"]
        await stage.until(lambda: bool(server.sessions[1].items))
        await asyncio.sleep(0.3)  # it is ready, and would be taken at once
        assert first.closed_at is None
        stage.end(grant(1), speech, SAID)
        await stage.until(lambda: first.closed_at is not None)


async def test_a_session_that_drops_before_the_first_word_costs_nothing_but_time(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        await stage.says(grant(1))
        socket = stage.session.socket
        assert socket is not None
        await socket.close()
        assert await stage.says(grant(2)) == SAID
        assert f"assistant: {SAID}" in server.sessions[-1].asked[-1].heard


async def test_one_that_drops_in_the_middle_of_an_answer_has_said_what_was_heard(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        server.drop_after_ms = 900
        speech = stage.begin(grant(1))
        with pytest.raises(Exception, match="closed unexpectedly"):
            await speech.wait_written()
        assert speech.text == "It is Friday,"
        stage.end(grant(1), speech, "It is Friday,", heard_s=0.9)
        assert await stage.says(grant(2)) == SAID
        assert "assistant: It is Friday,…" in server.sessions[-1].asked[-1].heard


async def test_one_that_speaks_unasked_is_stopped_and_told_of(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        await stage.says(grant(1))
        await server.speak_unasked(stage.session, "Let me tell you all about it, since nobody asked me to.")
        await stage.until(lambda: stage.session.responses[-1].status == "cancelled")
        await stage.until(lambda: stage.warnings)
        assert stage.warnings[0].startswith(UNASKED)
        assert await stage.says(grant(2)) == SAID
        assert not [text for text in stage.session.asked[-1].heard if "nobody asked" in text]


async def test_one_that_is_speaking_unasked_when_it_is_asked_answers(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        await stage.until(lambda: server.sessions)
        unasked = asyncio.create_task(server.speak_unasked(stage.session, "Let me tell you all about it."))
        assert await stage.says(grant(1)) == SAID
        await unasked


async def test_one_that_speaks_unasked_in_the_middle_of_an_answer_ends_it_at_once_and_is_left_for_another(
    server: RealtimeServer,
) -> None:
    async with staged(server) as stage:
        speech = stage.begin(grant(1))
        await stage.until(lambda: speech.sound.pieces)
        await server.speak_unasked(stage.session, "Let me tell you all about it.")
        with pytest.raises(APIConnectionError, match="began another answer"):
            async with asyncio.timeout(STALL_S / 2):
                await speech.wait_written()
        stage.end(grant(1), speech, "It", heard_s=0.2)
        assert stage.warnings[0].startswith(UNASKED)
        assert await stage.says(grant(2, "Ada, again?")) == SAID
        assert len(server.sessions) == 2


async def test_sound_for_a_turn_that_is_over_is_left_out_and_told_of(
    server: RealtimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation_module, "LATE_S", 0.0)
    async with staged(server) as stage:
        await stage.says(grant(1))
        speech = stage.begin(grant(2))
        await stage.until(lambda: speech.sound.pieces)
        await server.sound_again(stage.session, stage.session.responses[0])
        await speech.wait_written()
        assert sum(frame.duration for frame in speech.sound.pieces) == pytest.approx(0.3 * len(SAID.split()))
        assert stage.warnings == [f"{OVER}: it is left out"]


async def test_one_that_does_not_stop_when_it_is_told_to_is_left_for_another(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        server.goes_on = True
        speech = stage.begin(grant(1))
        await stage.until(lambda: speech.sound.pieces)
        stage.end(grant(1), speech, "It", heard_s=0.2)
        assert await stage.says(grant(2, "Ada, again?")) == SAID
        assert len(server.sessions) == 2


@pytest.mark.parametrize(("code", "unsaid"), [("insufficient_quota", Unsaid.LIMITED), ("server_error", Unsaid.FAILED)])
async def test_an_answer_that_the_server_refuses_is_not_said(server: RealtimeServer, code: str, unsaid: Unsaid) -> None:
    async with staged(server) as stage:
        server.fails = code
        server.refuse = 429 if code == "insufficient_quota" else None
        speech = stage.begin(grant(1))
        said: BaseException | None = None
        try:
            await speech.wait_written()
        except Exception as error:
            said = error
        if code == "server_error":
            assert said is None and speech.text == SAID  # asked once more
        else:
            assert said is not None and unsaid_from(said, is_loaded=True) is unsaid
        stage.answers.discard(speech)


async def test_a_key_that_is_refused_is_told_without_the_key(server: RealtimeServer) -> None:
    server.refuse = 401
    async with staged(server) as stage:
        await stage.until(lambda: stage.warnings)
        server.refuse = None
        await stage.until(lambda: LOST in stage.recovered)
        assert stage.warnings[0].startswith(LOST) and "401" in stage.warnings[0]
        assert "sk-realtime-1" not in str(stage.warnings)
        assert await stage.says(grant(1)) == SAID


def test_a_model_that_decides_itself_when_it_speaks_is_refused() -> None:
    decides = llm.RealtimeCapabilities(
        message_truncation=True,
        turn_detection=True,
        user_transcription=False,
        auto_tool_reply_generation=True,
        audio_output=False,
        manual_function_calls=True,
    )
    assert refusals(decides) == [
        "decides itself when it speaks",
        "cannot be told what others said",
        "speaks by itself once a tool has answered",
        "makes no sound",
    ]


async def test_options_that_cannot_be_are_refused_with_the_reason(server: RealtimeServer) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "turn_detection is the chair's to decide": {"turn_detection": {"type": "server_vad"}},
        "makes no sound": {"modalities": ["text"]},
        "knows no option 'temprature'": {"temprature": 1},
        "no number of seconds": {"max_session_duration": "long"},
    }
    for reason, options in wrong.items():
        with pytest.raises(ModelError, match=reason):
            realtime_from_endpoint(endpoint_of(server, **options), Voice())
    with pytest.raises(MissingModelError):
        realtime_from_endpoint(None, Voice())
    with pytest.raises(ModelError, match="deepgram has no realtime model"):
        realtime_from_endpoint(endpoint_of(server).model_copy(update={"provider": "deepgram"}), Voice())


async def test_a_fault_says_what_the_server_said(server: RealtimeServer) -> None:
    body = {"message": "You exceeded your quota.", "code": "insufficient_quota", "type": "x"}
    found = fault_from(llm.RealtimeError("no"))
    assert isinstance(found, llm.RealtimeError)
    quota = fault_from(APIStatusError("wrapped", status_code=-1, body=body))
    assert isinstance(quota, APIStatusError) and quota.status_code == 429 and "quota" in str(quota)


async def test_a_class_that_makes_its_own_words_is_refused_when_it_starts(
    server: RealtimeServer, tmp_path: Path
) -> None:
    (tmp_path / "team.py").write_text(
        "from livekit.agents import Agent\n"
        "class Ada(Agent):\n"
        "    def __init__(self): super().__init__(instructions='')\n"
        "    async def llm_node(self, chat_ctx, tools, model_settings): yield 'a'\n"
    )
    own = await made_from_class(str(tmp_path / "team.py"), "Ada", lambda text, is_wish: None)
    given = Assignment(identity="a", name="A", room="r", url="ws://h", token=SecretStr("t"), llm=endpoint_of(server))
    faults = SpeechFaults(lambda message: None)
    async with AsyncExitStack() as stack:
        with pytest.raises(ModelError, match="the class has a llm_node of its own"):
            await answers_from_assignment(
                given, stack, own, None, faults, lambda novelty: None, UsageMeter(lambda message: None)
            )
