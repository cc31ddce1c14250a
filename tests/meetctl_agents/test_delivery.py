"""What an agent said arrives, whether the chair is there or away, and though the agent is told to leave meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest
from livekit import rtc
from meetctl_agents.methods import call, serve

from meetctl.protocol import (
    GRANT,
    RELEASE,
    AgentSpeech,
    Grant,
    LastWords,
    Ready,
    Release,
    SpeechState,
    Stop,
)
from meetctl.settings import LiveKitCredentials
from tests.fixtures.livekit import MintToken

from .child import Child
from .staging import CHAIR, assignment

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


async def test_what_was_said_reaches_a_chair_that_comes_later_and_one_that_is_there_when_the_agent_is_told_to_leave(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", models_url=model_server)
    token = mint_token(CHAIR, role="chair").get_secret_value()
    async with Child("meetctl_agents.audio", given) as ada:
        await ada.wait_said(Ready)
        async with Chair(livekit_server.url, token) as chair:
            await chair.have_say("g1", SHORT)
            await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.SPEAKING)
        after = len(ada.events)
        await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.LISTENING, after=after)
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
        async with Chair(livekit_server.url, token) as chair:
            await chair.have_say("g1", SHORT)
            await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.SPEAKING)
        after = len(ada.events)
        await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.LISTENING, after=after)
        ada.send(Stop())
        told = await ada.wait_said(LastWords)
        assert (told.line.id, told.line.identity, told.line.speaker, told.line.text) == ("g1", "ada", "Ada", SHORT)
        assert not told.line.interrupted
        assert abs(told.line.at - time.time()) < 60
        assert await ada.wait_exit() == 0
