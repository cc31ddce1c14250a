"""Several people and several agents at once: nobody's words are lost, and sounds that want nothing change nothing."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
from livekit import rtc
from meetctl_agents.floor.addressing.passive import lets_go_on
from meetctl_agents.models.unsaid import told_in_room

from meetctl.protocol import FloorChanged, MeetingRules, Ready, Unanswered, Unsaid, Utterance, UtteranceKind
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.human import SAMPLE_RATE, Human, synthesised
from testing.agents.played import Agent, joined
from testing.agents.scripted_models import scripted_models
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken
from testing.words import word_errors

STORY = (
    "First we test the server on Thursday morning and then we write the release notes together. "
    "After that we call the customers and tell them about the launch."
)
"""What Ada answers: some nine seconds of speech."""
HUM, NOD, BASS = "Uh-huh.", "Yeah.", "pitch=0.62,formant=0.86"
"""As this voice says them they are transcribed as hum and nod; a synthetic "mm-hmm" is no hum, it becomes "Mama?"."""
PAUSE = bytes(2 * SAMPLE_RATE)
"""A second: longer than the end of speech needs to be noticed."""


def cough() -> bytes:
    """Returns two bursts of broad noise that fade within a fifth of a second each, as loud as the local voice."""
    noise = np.random.default_rng(5)
    burst = noise.normal(0, 6000, int(SAMPLE_RATE * 0.2)) * np.exp(-np.linspace(0, 6, int(SAMPLE_RATE * 0.2)))
    gap = np.zeros(int(SAMPLE_RATE * 0.15))
    return np.concatenate([burst, gap, burst]).clip(-32768, 32767).astype("<i2").tobytes()


def hiss(seconds: float) -> bytes:
    """Returns the noise of a fan near the microphone."""
    noise = np.random.default_rng(6).normal(0, 1200, int(SAMPLE_RATE * seconds))
    return np.convolve(noise, np.ones(8) / 8, "same").astype("<i2").tobytes()


def floors(chair: Child) -> list[str | None]:
    return [event.holder for event in chair.said(FloorChanged)]


def spoken(chair: Child, identity: str) -> list[str]:
    """Returns the lines that somebody said aloud."""
    lines = [event.line for event in chair.said(Utterance)]
    return [line.text for line in lines if line.identity == identity and line.kind is UtteranceKind.SPEECH]


async def test_agents_that_name_each_other_answer_until_a_person_is_to_speak(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR)
    given = given.model_copy(update={"rules": MeetingRules(max_agent_turns=3)})
    async with AsyncExitStack() as stack:

        async def join(identity: str, role: str = "agent") -> Any:
            return await stack.enter_async_context(joined(livekit_server, mint_token, identity, role))

        agents = {"ada": Agent(await join("ada")), "max": Agent(await join("max"))}
        says = {"ada": "I built it. Max, do the users like it?", "max": "They do. Ada, is it fast?"}
        chair = await stack.enter_async_context(Child("meetctl_agents.chair", given))
        await chair.wait_said(Ready)
        sam = await join("sam", "guest")

        async def chain(opening: str, *answer: str) -> None:
            await sam.local_participant.send_text(opening, topic="lk.chat")
            for identity in answer:
                await agents[identity].release(await agents[identity].granted(), says[identity])

        await chain("Ada, how is it going?", "ada", "max", "ada")
        # The last one named Max again: nobody answers, until a person has spoken. Then they may go on as long again.
        await chain("Max, tell us more.", "max", "ada", "max")
        await chair.wait_said(Utterance, lambda _: len(spoken(chair, "max")) == 3)
        await agents["ada"].hears(says["max"])
        lines = [event.line.identity for event in chair.said(Utterance) if event.line.kind is not UtteranceKind.FACT]
        assert lines == ["sam", "ada", "max", "ada", "sam", "max", "ada", "max"]
        assert [holder for holder in floors(chair) if holder] == ["ada", "max", "ada", "max", "ada", "max"]
        assert all(agent.grants.empty() for agent in agents.values())


async def test_people_are_told_once_why_an_agent_says_nothing(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR)
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def read(stream: rtc.TextStreamReader, sender: str) -> None:
        told.put_nowait((sender, await stream.read_all()))

    async with AsyncExitStack() as stack:
        ada = Agent(await stack.enter_async_context(joined(livekit_server, mint_token, "ada", "agent")))
        chair = await stack.enter_async_context(Child("meetctl_agents.chair", given))
        await chair.wait_said(Ready)
        sam = await stack.enter_async_context(joined(livekit_server, mint_token, "sam", "guest"))
        reading: list[asyncio.Task[None]] = []
        sam.register_text_stream_handler(
            "lk.chat", lambda stream, sender: reading.append(asyncio.ensure_future(read(stream, sender)))
        )
        for unsaid in (Unsaid.LIMITED, Unsaid.LIMITED, Unsaid.NOTHING_NEW):
            await sam.local_participant.send_text("Ada, what now?", topic="lk.chat")
            await ada.release(await ada.granted(), "", unsaid)
        async with asyncio.timeout(20):
            messages = [await told.get() for _ in range(2)]
        assert messages == [(CHAIR, told_in_room(unsaid, "Ada")) for unsaid in (Unsaid.LIMITED, Unsaid.NOTHING_NEW)]
        await asyncio.gather(*reading)
        # What programs are told each time; to have nothing to add is an answer.
        assert [(event.identity, event.reason) for event in chair.said(Unanswered)] == [("ada", Unsaid.LIMITED)] * 2
        assert spoken(chair, "ada") == []


async def test_two_people_at_once_are_understood_sounds_change_nothing_and_a_swallowed_question_is_asked_again(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    asked, remarked = "Ada, what should we do before the launch?", "The budget is much too small for the weather."
    called = "Max, when do the customers get the report?"
    async with AsyncExitStack() as stack:
        models_url = await stack.enter_async_context(scripted_models(model_server, lambda _: STORY))

        def child(identity: str, role: str, program: str) -> Child:
            token = mint_token(identity, role=role)
            given = assignment(livekit_server, room_name, token, identity, models_url=models_url)
            return Child(f"meetctl_agents.{program}", given)

        chair = await stack.enter_async_context(child(CHAIR, "chair", "chair"))
        ada = await stack.enter_async_context(child("ada", "agent", "audio"))
        max_ = Agent(await stack.enter_async_context(joined(livekit_server, mint_token, "max", "agent")))
        question, remark_of_sam = [await synthesised(model_server, text) for text in (asked, remarked)]
        remark, hum, nod, call = [await synthesised(model_server, text, BASS) for text in (remarked, HUM, NOD, called)]
        await chair.wait_said(Ready)
        await ada.wait_said(Ready)
        sam, eve = [
            await stack.enter_async_context(Human(livekit_server.url, mint_token(identity).get_secret_value()))
            for identity in ("sam", "eve")
        ]
        await asyncio.gather(sam.wait_listened_to(), eve.wait_listened_to())

        # Nobody speaks: no noise is taken for words, and a hum wants no answer.
        for sounds in (cough(), hiss(1.5), hum):
            await eve.say(sounds + PAUSE)
        # Both at once: Eve's words, which name nobody, neither get lost nor take Sam's answer away; Ada lets both end.
        begun = time.monotonic()
        ended = max(await asyncio.gather(sam.say(question), eve.say(remark)))
        await sam.wait_until(lambda: len(sam.heard("ada", begun)) > 20)
        assert sam.heard("ada", begun)[0] > ended
        assert floors(chair) == ["ada"]
        assert word_errors(asked, " ".join(spoken(chair, "sam")))[0] <= 1
        assert word_errors(remarked, " ".join(words(spoken(chair, "eve"))))[0] <= 1

        # Ada speaks: she is not cut off by a cough, and goes on where she was after a hum or a nod.
        await eve.say(cough() + PAUSE)
        assert floors(chair) == ["ada"]
        for sounds in (hum, nod):
            before = len(chair.events)
            await eve.say(sounds)
            await chair.wait_said(FloorChanged, lambda event: event.holder == "ada", after=before)
            again = time.monotonic()
            await sam.wait_until(lambda since=again: len(sam.heard("ada", since)) > 20)  # type: ignore[misc]
        last = await chair.wait_said(
            Utterance, lambda event: event.line.identity == "ada" and not event.line.interrupted
        )
        assert last.line.text != STORY
        assert " ".join(spoken(chair, "ada")) == STORY
        assert floors(chair)[:5] == ["ada", None, "ada", None, "ada"]
        assert (len(spoken(chair, "sam")), len(words(spoken(chair, "eve")))) == (1, 1)
        assert max_.grants.empty()
        people = {*spoken(chair, "sam"), *words(spoken(chair, "eve"))}
        async with asyncio.timeout(10):
            while people:
                people.discard((await max_.heard.get()).text)

        # Both at once once more: who of them addressed an agent gets the answer, also of one that swallows it first.
        await asyncio.gather(sam.say(remark_of_sam), eve.say(call))
        swallowed = await max_.granted()
        await max_.release(swallowed, "")
        second = await max_.granted()
        assert second.line == swallowed.line
        assert second.line is not None
        assert (second.line.identity, word_errors(called, second.line.text)[0] <= 1) == ("eve", True)
        await max_.release(second, "On Thursday.")
        await chair.wait_said(Utterance, lambda event: event.line.identity == "max")
        # Whatever followed from the answer came before this.
        await sam.room.local_participant.send_text("Eve, let us go on.", topic="lk.chat")
        await max_.hears("Eve, let us go on.")
        assert max_.grants.empty()


def words(lines: list[str]) -> list[str]:
    """Returns the lines that are more than a hum or a nod."""
    return [line for line in lines if not lets_go_on(line, "en")]
