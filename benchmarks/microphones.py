"""What a microphone costs the chair while nobody talks into it: CPU of the real chair, with microphones and without.

Half of them send digital silence, as a page does that suppresses noise; half the noise of a quiet room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import numpy as np
import psutil
from livekit import rtc

from benchmarks.measuring import show
from benchmarks.served import served_room
from meetctl.local.livekit import LiveKitConfig
from meetctl.protocol import Ready
from meetctl.rooms import chair_token, guest_token
from testing.agents.child import Child
from testing.agents.staging import CHAIR, assignment

ROOM = "microphones"
COUNT = 8
RATE = 24_000
NOISE = 20.0
"""Root mean square of 16-bit samples."""
SETTLED_S = 5.0
MEASURED_S = 15.0


def main() -> None:
    without, with_them = asyncio.run(_measure())
    show("a silent microphone, in the chair", "% of a core", each=(with_them - without) / COUNT, chair=without)


async def _measure() -> tuple[float, float]:
    async with served_room(ROOM) as config, AsyncExitStack() as stack:
        token = chair_token(config.credentials, room=ROOM, identity=CHAIR, name="Chair")
        chair = await stack.enter_async_context(
            Child("meetctl_agents.chair", assignment(config.credentials, ROOM, token, CHAIR, cast=()))
        )
        await chair.wait_said(Ready)
        without = await _cpu_percent(chair.process.pid)
        sources = [await _microphone(config, number, stack) for number in range(COUNT)]
        talking = asyncio.create_task(_keep_silent(sources))
        try:
            return without, await _cpu_percent(chair.process.pid)
        finally:
            talking.cancel()


async def _microphone(config: LiveKitConfig, number: int, stack: AsyncExitStack) -> rtc.AudioSource:
    room = rtc.Room()
    token = guest_token(config.credentials, room=ROOM, identity=f"guest-{number}", name=f"Guest {number}")
    await room.connect(config.url, token.get_secret_value())
    stack.push_async_callback(room.disconnect)
    source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    publication = await room.local_participant.publish_track(track, options)
    await publication.wait_for_subscription()
    return source


async def _keep_silent(sources: Sequence[rtc.AudioSource]) -> None:
    size = RATE // 20
    generator = np.random.default_rng(1)
    while True:
        for number, source in enumerate(sources):
            sound = generator.normal(0, NOISE * (number % 2), size).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(sound.tobytes(), RATE, 1, size))


async def _cpu_percent(pid: int) -> float:
    process = psutil.Process(pid)
    await asyncio.sleep(SETTLED_S)
    before = process.cpu_times()
    await asyncio.sleep(MEASURED_S)
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / MEASURED_S


if __name__ == "__main__":
    main()
