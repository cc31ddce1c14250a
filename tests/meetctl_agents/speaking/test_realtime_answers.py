"""An agent with a realtime model: what its session knows, what it says when it is asked, and what is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from meetctl.protocol import Grant
from testing.agents.realtime_server import Asked, RealtimeServer, realtime_server
from tests.meetctl_agents.realtime.stage import line, staged

LONG = "One two three four five six seven eight nine ten eleven twelve."


def script(asked: Asked) -> str:
    last = asked.heard[-1] if asked.heard else ""
    if "very" in asked.instructions:
        return "I say what I am told."
    return LONG if "count" in last else f"You said {len(asked.heard)} things."


@pytest.fixture
async def server() -> AsyncIterator[RealtimeServer]:
    async with realtime_server(script) as running:
        yield running


async def test_it_speaks_when_it_is_granted_the_floor_and_not_before(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        stage.answers.hear(line(1, "Good morning."))
        stage.answers.prepare(line(2, "Ada, are you there?"))
        await stage.until(lambda: stage.session.items)
        assert stage.session.asked == []
        assert await stage.says(Grant(grant_id="g1", line=line(2, "Ada, are you there?"))) == "You said 2 things."
        (asked,) = stage.session.asked
        assert asked.heard == ["user: Sam: Good morning.", "user: Sam: Ada, are you there?"]
        assert (asked.voice, stage.session.turn_detection, stage.session.microphone) == ("cedar", None, 0)
        assert (stage.warnings, stage.session.refused) == ([], [])


async def test_its_tokens_are_counted(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        await stage.says(Grant(grant_id="g1", line=line(1, "Ada?")))
        await stage.until(lambda: stage.used)
        (used,) = stage.used[-1].used
        assert (used.kind, used.amount, used.purpose) == ("llm_tokens", 80, "answers")
        assert (used.provider, used.model) == ("openai", "gpt-realtime")


async def test_a_person_who_takes_the_floor_truncates_it_at_what_was_heard(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        grant = Grant(grant_id="g1", line=line(1, "Ada, count."))
        speech = stage.begin(grant)
        await stage.until(lambda: len(speech.sound.pieces) >= 4)
        stage.end(grant, speech, "One two", heard_s=0.55)
        await stage.until(lambda: stage.session.truncated and stage.session.responses[0].status == "cancelled")
        ((item, heard_ms, sent_ms),) = stage.session.truncated
        assert (item, heard_ms) == (stage.session.responses[0].item_id, 550)
        assert heard_ms < sent_ms < 3600

        stage.answers.hear(line(2, "Stop, and say how you are."))
        assert await stage.says(Grant(grant_id="g2", line=line(3, "Ada?"))) == "You said 4 things."
        kept = [one["id"] for one in stage.session.items]
        assert item in kept  # with its sound, as far as it was heard
        assert (stage.warnings, stage.session.refused) == ([], [])


async def test_what_nobody_heard_is_not_kept(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        grant = Grant(grant_id="g1", line=line(1, "Ada, count."))
        speech = stage.begin(grant)
        await stage.until(lambda: speech.sound.pieces)
        stage.end(grant, speech, "", heard_s=0.0)
        stage.answers.hear(line(2, "Wait."))
        await stage.says(Grant(grant_id="g2", line=line(3, "Ada?")))
        assert stage.session.asked[-1].heard == ["user: Sam: Ada, count.", "user: Sam: Wait.", "user: Sam: Ada?"]


async def test_after_a_cough_the_rest_is_played_without_asking_again(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        grant = Grant(grant_id="g1", line=line(1, "Ada, count."))
        speech = stage.begin(grant)
        async with asyncio.timeout(10):
            assert await speech.wait_written() == LONG
        stage.end(grant, speech, "One two three", heard_s=0.9)
        again = Grant(grant_id="g2", line=grant.line)
        assert await stage.says(again) == "four five six seven eight nine ten eleven twelve."
        assert len(stage.session.asked) == 1


async def test_one_that_was_not_made_to_its_end_goes_on_with_an_answer(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        grant = Grant(grant_id="g1", line=line(1, "Ada, count."))
        speech = stage.begin(grant)
        await stage.until(lambda: len(speech.sound.pieces) >= 2)
        stage.end(grant, speech, "One", heard_s=0.3)
        await stage.says(Grant(grant_id="g2", line=grant.line))
        assert "A noise interrupted you" in stage.session.asked[-1].heard[-1]


async def test_very_words_are_said_by_the_model_itself(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        said = await stage.says(Grant(grant_id="g1", verbatim="The very words."))
        assert said == "I say what I am told."
        assert stage.session.asked[0].instructions.endswith("\nThe very words.")


async def test_what_is_forgotten_is_taken_out_of_the_session(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        for number in range(60):
            stage.answers.hear(line(number, f"Sentence number {number}."))
        await stage.says(Grant(grant_id="g1", line=line(99, "Ada?")))
        heard = stage.session.asked[-1].heard
        assert len(heard) <= 21 and heard[-1] == "user: Sam: Ada?" and "number 59." in heard[-2]
        assert stage.session.refused == []


async def test_what_it_says_twice_stays_in_its_places(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        for number in (1, 2):
            await stage.says(Grant(grant_id=f"g{number}", verbatim="The very words."))
            stage.answers.hear(line(number, f"Thanks, {number}."))
        await stage.says(Grant(grant_id="g3", line=line(3, "Ada?")))
        assert stage.session.asked[-1].heard == [
            "assistant: I say what I am told.",
            "user: Sam: Thanks, 1.",
            "assistant: I say what I am told.",
            "user: Sam: Thanks, 2.",
            "user: Sam: Ada?",
        ]
        own = [item["id"] for item in stage.session.items if item["role"] == "assistant"]
        assert own == [response.item_id for response in stage.session.responses]


async def test_what_is_heard_while_it_is_still_being_played_takes_nothing_of_it_away(server: RealtimeServer) -> None:
    async with staged(server) as stage:
        grant = Grant(grant_id="g1", line=line(1, "Ada, count."))
        speech = stage.begin(grant)
        async with asyncio.timeout(10):
            await speech.wait_written()
        stage.answers.hear(line(2, "Mm, interesting."))
        await stage.until(lambda: any("interesting" in str(item) for item in stage.session.items))
        stage.end(grant, speech, "One two three", heard_s=0.9)
        await stage.until(lambda: stage.session.truncated)
        assert stage.session.responses[0].item_id in [item["id"] for item in stage.session.items]
        assert stage.session.refused == []
