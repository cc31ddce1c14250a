"""What an agent that says nothing costs its listeners, and that its next word begins where it begins."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import pytest
from livekit import rtc
from meetctl_agents.speaking.room_sink import SAMPLE_RATE, RoomAudioSink
from numpy.typing import NDArray

from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

AGENTS = 12
MOST_KBPS = 250
"""Of all of them, for a phone on a mobile network, IP and UDP included."""
HEADERS = 28
"""Bytes of IPv4 and UDP."""
LOOK_S = 3.0
ONSET = SAMPLE_RATE // 10
TRIES = 6
"""A receiver on busy cores stretches what it plays, and then no word can be laid over another."""
ALIKE = 0.85

Sound = NDArray[np.float64]


@asynccontextmanager
async def silent_agent(url: str, token: str) -> AsyncIterator[RoomAudioSink]:
    room = rtc.Room()
    await room.connect(url, token, rtc.RoomOptions(auto_subscribe=False))
    try:
        async with RoomAudioSink(room) as sink:
            yield sink
    finally:
        await room.disconnect()


async def received(listener: rtc.Room) -> tuple[int, int]:
    """Returns the bytes and packets that the listener's connection has received."""
    stats = await listener.get_rtc_stats()
    entries = [*stats.subscriber_stats, *stats.publisher_stats]
    found = [entry.transport.transport for entry in entries if entry.WhichOneof("stats") == "transport"]
    busiest = max(found, key=lambda each: each.bytes_received)
    return busiest.bytes_received, busiest.packets_received


async def kbps(listener: rtc.Room, seconds: float) -> float:
    """Returns what the listener receives meanwhile."""
    began, (octets, packets) = time.monotonic(), await received(listener)
    await asyncio.sleep(seconds)
    later_octets, later_packets = await received(listener)
    total = later_octets - octets + HEADERS * (later_packets - packets)
    return total * 8 / 1000 / (time.monotonic() - began)


@pytest.fixture
def many_files() -> Iterator[None]:
    """Lets this process open more files than a login does: a room takes dozens, and here are thirteen."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.mark.usefixtures("many_files")
async def test_twelve_silent_agents_cost_a_listener_next_to_nothing(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    async with AsyncExitStack() as stack:
        tokens = [mint_token(f"agent-{n}", role="agent").get_secret_value() for n in range(AGENTS)]
        await asyncio.gather(*(stack.enter_async_context(silent_agent(livekit_server.url, token)) for token in tokens))
        listener = rtc.Room()
        heard: set[str] = set()
        listener.on("track_subscribed", lambda track, publication, participant: heard.add(participant.identity))
        await listener.connect(livekit_server.url, mint_token("sam").get_secret_value())
        stack.push_async_callback(listener.disconnect)
        async with asyncio.timeout(60):
            while len(heard) < AGENTS or (cost := await kbps(listener, LOOK_S)) > MOST_KBPS:
                await asyncio.sleep(0.1)  # the first moments of a track are sent in full
        assert cost > 0, "silence is sent too: who sends nothing has stalled"


async def test_the_first_tenth_of_a_second_of_a_word_after_silence_is_heard(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    word = spoken()
    async with silent_agent(livekit_server.url, mint_token("ada", role="agent").get_secret_value()) as sink:
        listener, heard = rtc.Room(), list[Sound]()
        listening: list[asyncio.Task[None]] = []

        async def listen(track: rtc.Track) -> None:
            async for event in rtc.AudioStream(track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=10):
                heard.append(np.frombuffer(event.frame.data, np.int16).astype(np.float64))

        listener.on("track_subscribed", lambda track, *_: listening.append(asyncio.create_task(listen(track))))
        await listener.connect(livekit_server.url, mint_token("sam").get_secret_value())
        try:
            for _ in range(TRIES):
                await asyncio.sleep(1.0)  # long enough for silence to be sent as such
                heard.clear()
                samples = word.astype(np.int16)
                await sink.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, samples.size))
                sink.flush()
                await asyncio.sleep(word.size / SAMPLE_RATE + 0.5)
                alike, onset = laid_over(np.concatenate(heard), word)
                if alike > ALIKE:
                    break
            assert alike > ALIKE
            # Measured 0.58 to 0.98 of its amplitude, mostly 0.97: a receiver may fade a voice in.
            assert onset > 0.5
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
            await listener.disconnect()


def spoken() -> Sound:
    """Returns something like a vowel, half a second of it, whose pitch never repeats."""
    at = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    pitch = 130 + 40 * at
    parts = [np.sin(2 * np.pi * number * pitch * at) / number for number in range(1, 20)]
    return np.asarray(4_000 * np.sum(parts, axis=0) * np.minimum(1, at / 0.01))


def laid_over(heard: Sound, word: Sound) -> tuple[float, float]:
    """Returns how alike what came after the onset is, 0 to 1, and how loud the onset was, by what was said."""
    rest = word[ONSET:]
    found = np.correlate(heard, rest, "valid")
    at = int(np.argmax(found))
    came = heard[at : at + rest.size]
    onset = heard[max(0, at - ONSET) : at]
    alike = found[at] / (np.linalg.norm(rest) * np.linalg.norm(came) + 1e-9)
    return float(alike), float(np.linalg.norm(onset) / np.linalg.norm(word[:ONSET]))
