"""The whole-meeting test's own eyes and ears: what they would have to notice, they do notice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import numpy as np
import pytest
from livekit import rtc
from meetctl_agents.hearing.preconnect_audio import LONGEST_S, ask_for_preconnect_audio
from meetctl_agents.room.methods import FORBIDDEN, call

from meetctl.protocol import PRECONNECT_AUDIO, KeptFor
from meetctl.settings import LiveKitCredentials
from meetctl.web.server import PageServer
from testing.agents.played import joined
from testing.browser.cast import FPS, SIZE, FakeAgent
from testing.browser.visitor import LOUD, QUIET, SCRIPT, SPEECH_RATE, WITHIN_S, Visitor
from testing.browser.window import OpenWindow
from testing.fixtures.livekit import MintToken
from tests.browser.conftest import OpenPage

RATE = 16_000
QUIET_FRAMES = 50
"""Of ten milliseconds each."""
RECORDED_ON_S = 0.2
"""The page goes on for 0.25 s once it is asked; the end of a recording may be cut at a packet."""


class GreenAgent(FakeAgent):
    """Sends what a decoder makes of nothing: all planes zero."""

    async def _draw(self, source: rtc.VideoSource, colour: tuple[int, int, int]) -> None:
        nothing = bytes(SIZE * SIZE * 3 // 2)
        while True:
            source.capture_frame(rtc.VideoFrame(SIZE, SIZE, rtc.VideoBufferType.I420, nothing))
            await asyncio.sleep(1 / FPS)


async def test_a_green_picture_is_noticed_and_each_sound_is_booked_to_whom_it_comes_from(
    page_server: PageServer, open_page: OpenPage, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    url = livekit_server.url
    async with (
        GreenAgent(url, mint_token("ada", name="Ada", role="agent"), face=(0, 0, 0)) as ada,
        FakeAgent(url, mint_token("max", name="Max", role="agent")),
    ):
        robin = Visitor(await open_page(page_server.join_link(), before=SCRIPT))
        zoe = Visitor(await open_page(page_server.join_link(), before=SCRIPT))
        await zoe.join("Zoe")
        await robin.join("Robin")
        await ada.enter("speaking")
        await robin.wait_for_voice("ada", 0)
        assert max(await robin.levels("max", 0)) < QUIET
        await ada.enter("listening")
        began = await zoe.now()
        await robin.say(tone(300))
        await robin.page.wait_for_function("() => visitor.seen.ada?.frames > 0")
        seen = await robin.seen("ada")
        assert (seen.greenest, round(seen.flattest)) == (1, 0)
        await zoe.wait_for_voice(robin.identity, began)
        assert max(await zoe.levels("max", began)) < QUIET


async def test_the_page_keeps_what_is_said_until_the_chair_hears_it_and_tells_it_to_nobody_else(
    page_server: PageServer, open_window: OpenWindow, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    subscribed: asyncio.Queue[tuple[rtc.RemoteTrackPublication, rtc.RemoteParticipant]] = asyncio.Queue()
    async with (
        joined(livekit_server, mint_token, "chair", "chair") as chair,
        joined(livekit_server, mint_token, "max", "agent") as other,
    ):
        chair.on("track_published", lambda publication, _: publication.set_subscribed(True))
        chair.on("track_subscribed", lambda _, publication, person: subscribed.put_nowait((publication, person)))
        robin = Visitor(await open_window(page_server.join_link(), before=SCRIPT))
        joining = asyncio.create_task(robin.join("Robin"))
        publication, person = await asyncio.wait_for(subscribed.get(), WITHIN_S)
        with pytest.raises(rtc.RpcError) as refused:
            await call(other, person.identity, PRECONNECT_AUDIO, KeptFor(track_sid=publication.sid))
        kept = await ask_for_preconnect_audio(chair, person, publication.sid, RATE)
        assert len(await ask_for_preconnect_audio(chair, person, publication.sid, RATE)) == 0
        await joining
        assert refused.value.code == FORBIDDEN
        assert RECORDED_ON_S * RATE < len(kept) < LONGEST_S * RATE


async def test_what_a_person_says_arrives_in_the_room_and_nothing_before(
    page_server: PageServer, open_window: OpenWindow, livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    subscribed: asyncio.Queue[rtc.RemoteTrack] = asyncio.Queue()
    async with joined(livekit_server, mint_token, "chair", "chair") as chair:
        chair.on("track_published", lambda publication, _: publication.set_subscribed(True))
        chair.on("track_subscribed", lambda track, *_: subscribed.put_nowait(track))
        robin = Visitor(await open_window(page_server.join_link(), before=SCRIPT))
        await robin.join("Robin")
        levels: list[float] = []
        async with asyncio.timeout(WITHIN_S), contextlib.aclosing(frames(await subscribed.get())) as heard:
            async for level in heard:
                levels.append(level)
                if len(levels) == QUIET_FRAMES:
                    saying = asyncio.create_task(robin.say(tone(300)))
                if level > LOUD:
                    break
        await saying
    assert max(levels[:QUIET_FRAMES]) < QUIET


async def frames(track: rtc.RemoteTrack) -> AsyncGenerator[float, None]:
    """Yields how loud each frame of the track is, root mean square, 1 being full scale."""
    stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
    try:
        async for event in stream:
            yield float(np.sqrt(np.mean((np.frombuffer(event.frame.data, np.int16) / 32768) ** 2)))
    finally:
        await stream.aclose()


def tone(hertz: float) -> bytes:
    """Returns a second of it."""
    wave = np.sin(2 * np.pi * hertz * np.arange(SPEECH_RATE) / SPEECH_RATE)
    return (wave * 8000).astype("<i2").tobytes()
