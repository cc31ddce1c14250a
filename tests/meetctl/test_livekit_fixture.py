"""The ground other tests stand on: two participants meet on the real server, and media flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import rtc

from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

MEDIA_TIMEOUT_S = 15.0
"""Connecting, publishing and the first frame take 0.5 s together on an idle machine."""

SAMPLE_RATE = 48_000
FRAME_SAMPLES = 480


@asynccontextmanager
async def joined(url: str, token: str) -> AsyncIterator[rtc.Room]:
    room = rtc.Room()
    await room.connect(url, token)
    try:
        yield room
    finally:
        await room.disconnect()


async def hum(source: rtc.AudioSource) -> None:
    """Plays a loud square wave until cancelled; the source paces it."""
    samples = b"".join((8000 if i // 50 % 2 else -8000).to_bytes(2, "little", signed=True) for i in range(480))
    while True:
        await source.capture_frame(rtc.AudioFrame(samples, SAMPLE_RATE, 1, FRAME_SAMPLES))


async def test_what_one_participant_plays_another_hears(
    livekit_server: LiveKitCredentials, mint_token: MintToken
) -> None:
    async with (
        asyncio.timeout(MEDIA_TIMEOUT_S),
        joined(livekit_server.url, mint_token("bob").get_secret_value()) as listener,
        joined(livekit_server.url, mint_token("ada", role="agent").get_secret_value()) as speaker,
    ):
        heard: asyncio.Future[rtc.RemoteTrack] = asyncio.get_running_loop().create_future()

        @listener.on("track_subscribed")
        def _(track: rtc.RemoteTrack, *_: object) -> None:
            if not heard.done():
                heard.set_result(track)

        source = rtc.AudioSource(SAMPLE_RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await speaker.local_participant.publish_track(track, rtc.TrackPublishOptions())
        playing = asyncio.create_task(hum(source))
        try:
            stream = rtc.AudioStream(await heard)
            async for event in stream:
                if max(abs(sample) for sample in event.frame.data) > 1000:
                    break
            await stream.aclose()
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            await source.aclose()
        assert listener.remote_participants["ada"].attributes == {"mc.role": "agent", "mc.seat": "ada"}
