"""An agent that is granted the floor hands it back, whatever fails on the way."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc
from meetctl_agents.models.speech_faults import TURN
from meetctl_agents.room.methods import call, serve
from meetctl_agents.speaking.answers import Answers
from meetctl_agents.speaking.room_sink import RoomAudioSink
from meetctl_agents.speaking.speaker import Speaker
from meetctl_agents.speaking.speech import Speech

from meetctl.protocol import GRANT, RELEASE, Grant, Model, Release, Warn
from meetctl.settings import LiveKitCredentials
from testing.agents.staging import CHAIR, assignment
from testing.fixtures.livekit import MintToken

WITHIN_S = 30.0


async def test_a_turn_that_fails_before_its_first_word_is_handed_back_and_the_next_one_is_taken(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, failing = Answers.take, ["g1"]

    def take(answers: Answers, grant: Grant) -> Speech:
        if grant.grant_id in failing:
            raise KeyError(grant.grant_id)
        return taken(answers, grant)

    monkeypatch.setattr(Answers, "take", take)
    released: asyncio.Queue[Release] = asyncio.Queue()
    told: list[Model] = []
    chair, room = rtc.Room(), rtc.Room()
    token = mint_token("ada", role="agent")
    try:
        await chair.connect(livekit_server.url, mint_token(CHAIR, role="chair").get_secret_value())
        serve(chair, RELEASE, Release, lambda identity: identity == "ada", lambda said, _: released.put_nowait(said))
        await room.connect(livekit_server.url, token.get_secret_value())
        async with (
            RoomAudioSink(room) as sink,
            Speaker(room, assignment(livekit_server, room_name, token, "ada"), told.append, sink),
            asyncio.timeout(WITHIN_S),
        ):
            for grant_id in ("g1", "g2"):
                await call(chair, "ada", GRANT, Grant(grant_id=grant_id, verbatim="Good morning."))
                assert (await released.get()).grant_id == grant_id
        assert any(isinstance(each, Warn) and each.about == TURN for each in told), told
    finally:
        await room.disconnect()
        await chair.disconnect()
