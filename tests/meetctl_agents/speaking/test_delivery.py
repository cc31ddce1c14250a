"""What an agent said arrives, whether the chair is there or away, and though the agent is told to leave meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from livekit import rtc
from meetctl_agents.room.methods import call, serve

from meetctl.protocol import (
    DRAFT,
    GRANT,
    HEAR,
    PREPARE,
    RELEASE,
    AgentSpeech,
    Draft,
    FloorChanged,
    Grant,
    Hear,
    LastWords,
    Line,
    Prepare,
    Ready,
    Release,
    SpeechState,
    Stop,
    Utterance,
)
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken

pytestmark = pytest.mark.system
SHORT = "The word for this round is alpha."
LONG = "I keep the database, and the server, and the disks, and the network, and the tape that nobody has read since."


class Chair:
    """The test itself, in the chair's seat."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token
        self.releases: asyncio.Queue[Release] = asyncio.Queue()

    async def __aenter__(self) -> Chair:
        self.room = rtc.Room()
        await self.room.connect(self._url, self._token, rtc.RoomOptions(auto_subscribe=False))
        serve(self.room, RELEASE, Release, lambda _: True, lambda release, _: self.releases.put_nowait(release))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.room.disconnect()

    async def have_say(self, grant_id: str, text: str) -> None:
        await call(self.room, "ada", GRANT, Grant(grant_id=grant_id, verbatim=text))

    async def released(self) -> Release:
        return await asyncio.wait_for(self.releases.get(), 45)


async def say_and_lose_the_chair(ada: Child, url: str, token: str) -> None:
    """Has the agent say something, with a chair that is gone before it has ended."""
    async with Chair(url, token) as chair:
        await chair.have_say("g1", SHORT)
        await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.SPEAKING)
    after = len(ada.events)
    await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.LISTENING, after=after)


async def test_what_was_said_reaches_a_chair_that_comes_later_and_one_that_is_there_when_the_agent_is_told_to_leave(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", models_url=model_server)
    token = mint_token(CHAIR, role="chair").get_secret_value()
    async with Child("meetctl_agents.audio", given) as ada:
        await ada.wait_said(Ready)
        await say_and_lose_the_chair(ada, livekit_server.url, token)
        async with Chair(livekit_server.url, token) as chair:
            said = await chair.released()
            assert (said.grant_id, said.text, said.interrupted) == ("g1", SHORT, False)

            await chair.have_say("g2", LONG)
            await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.SPEAKING, after=len(ada.events))
            ada.send(Stop())
            said = await chair.released()
            assert (said.grant_id, said.interrupted) == ("g2", True)
            assert LONG.startswith(said.text) and said.text != LONG
        assert await ada.wait_exit() == 0
        assert not ada.said(LastWords), "the chair has them"


async def test_the_last_words_of_an_agent_that_finds_no_chair_go_to_its_supervisor(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", models_url=model_server)
    token = mint_token(CHAIR, role="chair").get_secret_value()
    async with Child("meetctl_agents.audio", given) as ada:
        await ada.wait_said(Ready)
        await say_and_lose_the_chair(ada, livekit_server.url, token)
        ada.send(Stop())
        told = await ada.wait_said(LastWords)
        assert (told.line.id, told.line.identity, told.line.speaker, told.line.text) == ("g1", "ada", "Ada", SHORT)
        assert not told.line.interrupted
        assert abs(told.line.at - time.time()) < 60
        assert await ada.wait_exit() == 0


async def test_the_chair_takes_down_what_was_heard_of_an_agent_that_is_gone_and_its_own_word_once_it_comes(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR)
    async with Child("meetctl_agents.chair", given) as chair, contextlib.AsyncExitStack() as stack:
        await chair.wait_said(Ready)

        async def join(identity: str, role: str, name: str) -> rtc.Room:
            room = rtc.Room()
            token = mint_token(identity, role=role, name=name).get_secret_value()
            await room.connect(livekit_server.url, token, rtc.RoomOptions(auto_subscribe=False))
            stack.push_async_callback(room.disconnect)
            return room

        async def join_agent(identity: str) -> tuple[rtc.Room, asyncio.Queue[Hear], asyncio.Queue[Grant]]:
            room = await join(identity, "agent", identity.title())
            heard: asyncio.Queue[Hear] = asyncio.Queue()
            grants: asyncio.Queue[Grant] = asyncio.Queue()
            serve(room, HEAR, Hear, lambda _: True, lambda hear, _: heard.put_nowait(hear))
            serve(room, PREPARE, Prepare, lambda _: True, lambda *_: None)
            serve(room, GRANT, Grant, lambda _: True, lambda grant, _: grants.put_nowait(grant))
            return room, heard, grants

        async def next_line(heard: asyncio.Queue[Hear]) -> Line:
            return (await asyncio.wait_for(heard.get(), 45)).line

        _, by_max, _ = await join_agent("max")
        ada, _, grants = await join_agent("ada")
        guest = await join("eve", "guest", "Note")
        came = await next_line(by_max)
        assert (came.text, came.here) == ("Note (guest) joined the meeting.", ("Note (guest)",))
        await guest.local_participant.send_text("Ada, are you there?", topic="lk.chat")
        assert (await next_line(by_max)).speaker == "Note (guest)"

        grant = await asyncio.wait_for(grants.get(), 45)
        await ada.local_participant.set_attributes({"lk.agent.state": "speaking"})
        await call(ada, CHAIR, DRAFT, Draft(grant_id=grant.grant_id, text=LONG))
        await asyncio.sleep(1.0)  # the length of the speech itself
        await ada.disconnect()
        guessed = await chair.wait_said(Utterance, lambda event: event.line.id == grant.grant_id)
        assert guessed.line.interrupted and guessed.line.text and LONG.startswith(guessed.line.text)
        assert (await next_line(by_max)).text == guessed.line.text
        await chair.wait_said(FloorChanged, lambda event: event.holder is None)

        ada, _, _ = await join_agent("ada")
        said = Release(grant_id=grant.grant_id, text=LONG, started_at=time.time())
        for _ in range(3):
            await call(ada, CHAIR, RELEASE, said)
        assert (await next_line(by_max)).text == LONG
        await guest.local_participant.send_text("Max, and you?", topic="lk.chat")
        await chair.wait_said(Utterance, lambda event: event.line.text == "Max, and you?")
        taken = [event.line.text for event in chair.said(Utterance) if event.line.id == grant.grant_id]
        assert taken == [guessed.line.text, LONG], "what came three times is taken once"
