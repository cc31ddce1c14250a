"""The audio-only agent's track, heard by another participant of a real room."""

from __future__ import annotations

import array
import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
from livekit import rtc
from livekit.agents.voice import io
from meetctl_agents.speaking.room_sink import SAMPLE_RATE, RoomAudioSink

from meetctl.settings import LiveKitCredentials
from testing.agents.human import Human
from testing.fixtures.livekit import MintToken


def tone(seconds: float) -> rtc.AudioFrame:
    count = int(SAMPLE_RATE * seconds)
    samples = array.array("h", (int(9000 * math.sin(number / 8)) for number in range(count)))
    return rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, count)


class Agent:
    """A room with the sink in it, and everything the sink reported."""

    def __init__(self, room: rtc.Room, sink: RoomAudioSink) -> None:
        self.room = room
        self.sink = sink
        self.started: list[float] = []
        self.finished: list[io.PlaybackFinishedEvent] = []
        self._news = asyncio.Event()
        sink.on("playback_started", self._on_started)
        sink.on("playback_finished", self._on_finished)

    async def say(self, *seconds: float) -> None:
        for part in seconds:
            await self.sink.capture_frame(tone(part))
        self.sink.flush()

    async def wait(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _on_started(self, _: object) -> None:
        self.started.append(time.monotonic())
        self._news.set()

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        self.finished.append(event)
        self._news.set()


@pytest.fixture
async def person(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Human]:
    async with Human(livekit_server.url, mint_token("sam").get_secret_value()) as person:
        yield person


@pytest.fixture
async def agent(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Agent]:
    room = rtc.Room()
    token = mint_token("ada", role="agent").get_secret_value()
    await room.connect(livekit_server.url, token, rtc.RoomOptions(auto_subscribe=False))
    async with RoomAudioSink(room) as sink:
        yield Agent(room, sink)
    await room.disconnect()


async def packets_sent(agent: Agent) -> int:
    publication = next(iter(agent.room.local_participant.track_publications.values()))
    assert publication.track is not None
    for entry in await publication.track.get_stats():
        if entry.WhichOneof("stats") == "outbound_rtp":
            return int(entry.outbound_rtp.sent.packets_sent)
    return 0


async def test_packets_flow_before_a_word_is_said_and_after(person: Human, agent: Agent) -> None:
    async def wait_more_than(count: int) -> int:
        async with asyncio.timeout(10):
            while (sent := await packets_sent(agent)) <= count:
                await asyncio.sleep(0.05)
        return sent

    before = await wait_more_than(2)
    await agent.say(0.2)
    await agent.wait(lambda: len(agent.finished) == 1)
    await wait_more_than(before + 12)


async def test_speech_is_heard_and_reported_once_with_its_length(person: Human, agent: Agent) -> None:
    began = time.monotonic()
    await agent.say(0.3, 0.303, 0.1)
    await agent.wait(lambda: len(agent.finished) == 1)
    took = time.monotonic() - began
    [finished] = agent.finished
    assert not finished.interrupted
    assert finished.playback_position == pytest.approx(0.703, abs=0.001)
    assert len(agent.started) == 1
    assert took > 0.6, "reported before it was played"
    await person.wait_until(lambda: len(person.heard("ada")) >= 60)


async def test_an_interruption_is_silent_at_once_and_reports_what_was_heard(person: Human, agent: Agent) -> None:
    await agent.say(30)
    await person.wait_until(lambda: len(person.heard("ada")) > 50)
    agent.sink.clear_buffer()
    cleared = time.monotonic()
    [finished] = agent.finished
    assert finished.interrupted
    assert finished.playback_position == pytest.approx(cleared - agent.started[0], abs=0.25)
    await agent.say(0.2)
    await agent.wait(lambda: len(agent.finished) == 2)
    late = [at - cleared for at in person.heard("ada", cleared)]
    # What was under way is heard for a moment; then nothing until the new words, which are short.
    assert len(late) < 60


async def test_what_still_comes_for_a_cleared_segment_is_dropped(person: Human, agent: Agent) -> None:
    await agent.sink.capture_frame(tone(5))
    agent.sink.clear_buffer()
    await agent.sink.capture_frame(tone(5))
    agent.sink.flush()
    agent.sink.clear_buffer()
    assert [event.interrupted for event in agent.finished] == [True]
    await agent.say(0.1)
    await agent.wait(lambda: len(agent.finished) == 2)
    assert agent.finished[1].playback_position == pytest.approx(0.1, abs=0.001)


async def test_whatever_the_order_each_segment_is_reported_exactly_once(person: Human, agent: Agent) -> None:
    chance = random.Random(7)
    segments = 0
    open_ = False
    for _ in range(150):
        match chance.choice(["capture", "capture", "flush", "clear", "wait"]):
            case "capture":
                segments += not open_
                open_ = True
                await agent.sink.capture_frame(tone(chance.uniform(0.001, 0.06)))
            case "flush":
                agent.sink.flush()
                open_ = False
            case "clear":
                agent.sink.flush()
                agent.sink.clear_buffer()
                open_ = False
            case "wait":
                await asyncio.sleep(chance.uniform(0, 0.05))
    agent.sink.flush()
    await agent.wait(lambda: len(agent.finished) >= segments)
    assert len(agent.finished) == segments == agent.sink.captured_playout_segments
