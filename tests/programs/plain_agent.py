"""An ordinary livekit-agents program that knows nothing of meetctl: `python plain_agent.py connect --room R`."""

from __future__ import annotations

import asyncio

from livekit import rtc
from livekit.agents import AgentServer, JobContext, cli

server = AgentServer()


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    await ctx.connect()
    source = rtc.AudioSource(48_000, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    await ctx.room.local_participant.publish_track(track)
    while ctx.room.isconnected():
        await source.capture_frame(rtc.AudioFrame.create(48_000, 1, 480))
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    cli.run_app(server)
