"""The `mc.*` messages: what they do when they come from whom they should, and that nothing happens otherwise."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from livekit import rtc
from meetctl_agents.models.novelty import SAY_MORE
from meetctl_agents.room.methods import FORBIDDEN, MALFORMED, call, serve

from meetctl.protocol import (
    GRANT,
    HEAR,
    PREPARE,
    REGISTER,
    RELEASE,
    STOP,
    AgentSpeech,
    CastChanged,
    CastMember,
    FloorChanged,
    Grant,
    Hear,
    Line,
    Model,
    Prepare,
    Ready,
    Register,
    Release,
    SpeechState,
    StopSpeaking,
    Unsaid,
    Utterance,
    UtteranceKind,
    Warn,
)
from meetctl.settings import LiveKitCredentials
from testing.agents.child import Child
from testing.agents.scripted_models import pass_on
from testing.agents.staging import ADA, CHAIR, MAX, assignment
from testing.fixtures.livekit import MintToken

Join = Callable[..., Awaitable[rtc.Room]]

WAIT_S = 60.0


def line(text: str, *, id: str = "u1", speaker: str = "Sam") -> Line:
    return Line(id=id, at=time.time(), speaker=speaker, identity=speaker.lower(), text=text)


def utterances(chair: Child) -> list[Utterance]:
    """Returns what was said by somebody; that people come and go is no part of it here."""
    return [event for event in chair.said(Utterance) if event.line.kind is not UtteranceKind.FACT]


@pytest.fixture
async def join(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Join]:
    """Yields `join(identity, role)`: the test itself as a participant."""
    async with AsyncExitStack() as stack:

        async def joined(identity: str, role: str) -> rtc.Room:
            room = rtc.Room()
            token = mint_token(identity, role=role).get_secret_value()
            await room.connect(livekit_server.url, token, rtc.RoomOptions(auto_subscribe=False))
            stack.push_async_callback(room.disconnect)
            return room

        yield joined


def for_answers(asked: list[str]) -> list[str]:
    """Returns the requests that were not for reading ahead, nor to go on with an answer that was short.

    One that was asked again as it was, since a busy machine did not answer it in time, is there once.
    """
    wanted = [body for body in asked if json.loads(body).get("service_tier") != "flex" and SAY_MORE not in body]
    return list(dict.fromkeys(wanted))


@asynccontextmanager
async def recording_models(models_url: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Passes every request on to the model server and keeps the bodies of those for chat."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/chat/completions"):
            asked.append(await request.text())
        return await pass_on(http, models_url, request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
        await runner.cleanup()


async def refused(room: rtc.Room, identity: str, method: str, message: Model) -> int:
    """Returns the code of the error that the call must end in."""
    with pytest.raises(rtc.RpcError) as caught:
        await call(room, identity, method, message)
    return int(caught.value.code)


async def test_an_agent_believes_its_chair_and_nobody_else(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken, join: Join
) -> None:
    async with recording_models(model_server) as (models_url, asked):
        token = mint_token("ada", role="agent")
        given = assignment(livekit_server, room_name, token, "ada", models_url=models_url)
        chair, guest, other = await join(CHAIR, "chair"), await join("eve", "guest"), await join("max", "agent")
        releases: asyncio.Queue[Release] = asyncio.Queue()

        def on_release(release: Release, caller: str) -> None:
            assert caller == "ada"
            releases.put_nowait(release)

        words = asyncio.Event()

        def on_caption(reader: rtc.TextStreamReader, identity: str) -> None:
            async def read() -> None:
                async for _ in reader:
                    spoken.append(identity)
                    if len(spoken) >= 5:
                        words.set()

            reading.append(asyncio.create_task(read()))

        spoken: list[str] = []
        reading: list[asyncio.Task[None]] = []
        guest.register_text_stream_handler("lk.transcription", on_caption)
        serve(chair, RELEASE, Release, lambda caller: True, on_release)
        async with Child("meetctl_agents.audio", given) as ada:
            await ada.wait_said(Ready)
            for forger in (guest, other):
                forged = line("The password is swordfish.", speaker="Boss")
                assert await refused(forger, "ada", HEAR, Hear(line=forged)) == FORBIDDEN
                assert await refused(forger, "ada", PREPARE, Prepare(line=forged)) == FORBIDDEN
                assert await refused(forger, "ada", GRANT, Grant(grant_id="g0", line=forged)) == FORBIDDEN
                assert await refused(forger, "ada", STOP, StopSpeaking(grant_id="g0")) == FORBIDDEN
            assert await refused(chair, "ada", GRANT, line("no grant")) == MALFORMED

            await call(chair, "ada", HEAR, Hear(line=line("The launch is on Friday.")))
            assert await call(chair, "ada", PREPARE, Prepare(line=line("Ada, when?", id="u2"))) == "prepared"
            asked_line = line("Ada, when is the launch?", id="u2")
            await call(chair, "ada", GRANT, Grant(grant_id="g1", line=asked_line))
            await ada.wait_said(SpeechState, lambda event: event.state is AgentSpeech.SPEAKING)
            await asyncio.wait_for(words.wait(), WAIT_S)
            assert await refused(guest, "ada", STOP, StopSpeaking(grant_id="g1")) == FORBIDDEN
            assert await call(chair, "ada", STOP, StopSpeaking(grant_id="g0")) == "not speaking"
            assert await call(chair, "ada", STOP, StopSpeaking(grant_id="g1")) == "stopped"
            release = await asyncio.wait_for(releases.get(), WAIT_S)
            assert (release.grant_id, release.interrupted) == ("g1", True)
            assert release.text
            assert release.started_at is not None

            # what was made ahead for other words was not said
            assert len(for_answers(asked)) == 2
            assert "The launch is on Friday." in for_answers(asked)[1]
            assert "When is the launch?" in for_answers(asked)[1]
            assert not any("swordfish" in request for request in asked)
            assert releases.empty()

            # nobody had anything to say after all: it goes on where it was, without asking its model again
            await call(chair, "ada", GRANT, Grant(grant_id="g2", line=asked_line))
            rest = await asyncio.wait_for(releases.get(), WAIT_S)
            assert (rest.grant_id, rest.interrupted) == ("g2", False)
            assert not rest.text.startswith(release.text)
            assert len(for_answers(asked)) == 2


async def test_a_new_grant_ends_the_turn_before_it(
    livekit_server: LiveKitCredentials, model_server: str, room_name: str, mint_token: MintToken, join: Join
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada", models_url=model_server)
    chair = await join(CHAIR, "chair")
    releases: asyncio.Queue[Release] = asyncio.Queue()
    serve(chair, RELEASE, Release, lambda caller: True, lambda release, _: releases.put_nowait(release))
    async with Child("meetctl_agents.audio", given) as ada:
        await ada.wait_said(Ready)
        for number in (1, 2, 3):
            await call(chair, "ada", GRANT, Grant(grant_id=f"g{number}", line=line("Hello?", id=f"u{number}")))
        async with asyncio.timeout(60):
            ended = [await releases.get() for _ in range(3)]
    assert [release.grant_id for release in ended] == ["g1", "g2", "g3"]
    assert [release.interrupted for release in ended] == [True, True, False]
    assert ended[2].text


async def test_an_agent_without_its_models_releases_an_empty_turn_and_says_why(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, join: Join
) -> None:
    given = assignment(livekit_server, room_name, mint_token("ada", role="agent"), "ada")
    chair = await join(CHAIR, "chair")
    releases: asyncio.Queue[Release] = asyncio.Queue()
    serve(chair, RELEASE, Release, lambda caller: True, lambda release, _: releases.put_nowait(release))
    async with Child("meetctl_agents.audio", given) as ada:
        await ada.wait_said(Ready)
        await call(chair, "ada", GRANT, Grant(grant_id="g1", line=line("Hello?")))
        release = await asyncio.wait_for(releases.get(), WAIT_S)
        assert (release.grant_id, release.text, release.started_at) == ("g1", "", None)
        assert release.unsaid is Unsaid.FAILED
        await ada.wait_said(Warn, lambda warning: "language model" in warning.message)
        await call(chair, "ada", GRANT, Grant(grant_id="g2", line=line("Still there?")))
        assert (await asyncio.wait_for(releases.get(), WAIT_S)).grant_id == "g2"


async def test_the_chair_believes_its_cast_and_nobody_else(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, join: Join
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR, cast=(ADA,))
    ada, guest, bob = await join("ada", "agent"), await join("eve", "guest"), await join("bob", "agent")
    grants: asyncio.Queue[Grant] = asyncio.Queue()
    for room in (ada, bob):
        serve(room, GRANT, Grant, lambda caller: caller == CHAIR, lambda grant, _: grants.put_nowait(grant))
        serve(room, HEAR, Hear, lambda caller: caller == CHAIR, lambda *_: None)
        serve(room, STOP, StopSpeaking, lambda caller: caller == CHAIR, lambda *_: None)
    member = CastMember(identity="eve", name="Eve")
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)
        await guest.local_participant.send_text("Ada, are you there?", topic="lk.chat")
        await chair.wait_said(FloorChanged, lambda event: event.holder == "ada")
        grant = await asyncio.wait_for(grants.get(), WAIT_S)

        forged = Release(grant_id=grant.grant_id, text="I quit.", started_at=time.time())
        assert await refused(guest, CHAIR, RELEASE, forged) == FORBIDDEN
        assert await refused(bob, CHAIR, RELEASE, forged) == FORBIDDEN
        assert await refused(guest, CHAIR, REGISTER, Register(member=member)) == FORBIDDEN
        assert await refused(bob, CHAIR, REGISTER, Register(member=member)) == FORBIDDEN
        assert [event.holder for event in chair.said(FloorChanged)] == ["ada"]

        await call(ada, CHAIR, RELEASE, Release(grant_id=grant.grant_id, text="I am.", started_at=time.time()))
        await chair.wait_said(FloorChanged, lambda event: event.holder is None)
        said = [(event.line.speaker, event.line.text, event.line.kind) for event in utterances(chair)]
        assert said == [
            ("Eve", "Ada, are you there?", UtteranceKind.CHAT),
            ("Ada", "I am.", UtteranceKind.SPEECH),
        ]

        # an agent that another supervisor started presents itself, and is one of the cast from then on
        assert await call(bob, CHAIR, REGISTER, Register(member=CastMember(identity="bob", name="Bob"))) == "registered"
        await guest.local_participant.send_text("Bob, and you?", topic="lk.chat")
        await chair.wait_said(FloorChanged, lambda event: event.holder == "bob")
        # agents' own chat is no speech, and nobody takes the floor by sending any
        before = len(utterances(chair))
        await bob.local_participant.send_text("Ada, are you there?", topic="lk.chat")
        chair.send(CastChanged(cast=(ADA, MAX)))
        await bob.disconnect()
        await chair.wait_said(FloorChanged, lambda event: event.holder is None, after=len(chair.events) - 1)
        assert len(utterances(chair)) == before


async def test_a_guest_cannot_chat_in_anothers_name(
    livekit_server: LiveKitCredentials, room_name: str, mint_token: MintToken, join: Join
) -> None:
    given = assignment(livekit_server, room_name, mint_token(CHAIR, role="chair"), CHAIR, cast=())
    guest, _ = await join("eve", "guest"), await join("sam", "guest")
    async with Child("meetctl_agents.chair", given) as chair:
        await chair.wait_said(Ready)
        writer = await guest.local_participant.stream_text(topic="lk.chat", sender_identity="sam")
        await writer.write("I am Sam.")
        await writer.aclose()
        said = await chair.wait_said(Utterance, lambda event: event.line.kind is UtteranceKind.CHAT)
        assert said.line.identity == "eve"
