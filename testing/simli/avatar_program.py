"""A livekit-agents program with the stock Simli plugin: says one long sentence, is interrupted, says a short one.

Run by the tests with `connect --room`. What happened is written to the file `REPORT`, one JSON object a line.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from livekit import agents, rtc
from livekit.agents import AgentSession
from livekit.plugins import simli

RATE = 16_000


async def tone(seconds: float) -> AsyncIterator[rtc.AudioFrame]:
    at = np.arange(int(seconds * RATE)) / RATE
    samples = (np.sin(2 * np.pi * 220 * at) * 9_000).astype(np.int16)
    for start in range(0, len(samples), RATE // 10):
        part = samples[start : start + RATE // 10]
        yield rtc.AudioFrame(part.tobytes(), RATE, 1, len(part))


async def entrypoint(context: agents.JobContext) -> None:
    report = Path(os.environ["REPORT"])

    def note(**what: Any) -> None:
        with report.open("a") as file:
            file.write(json.dumps(what) + "\n")

    await context.connect()
    session: AgentSession[None] = AgentSession()
    avatar = simli.AvatarSession(
        simli_config=simli.SimliConfig(api_key="any-key", face_id="ada"), api_url=os.environ["SIMLI_URL"]
    )
    await avatar.start(session, room=context.room)
    await session.start(agents.Agent(instructions="Speak when told."), room=context.room)
    await avatar.wait_for_join(timeout=20)
    note(event="joined", agent=context.room.local_participant.identity)
    output = session.output.audio
    assert output is not None
    output.on(
        "playback_finished", lambda event: note(event="finished", at=event.playback_position, cut=event.interrupted)
    )

    first = session.say("A long sentence.", audio=tone(20))
    await asyncio.sleep(2.0)
    first.interrupt()
    await first.wait_for_playout()
    second = session.say("A short one.", audio=tone(1))
    await second.wait_for_playout()
    note(event="done")
    await context.room.disconnect()


if __name__ == "__main__":
    agents.cli.run_app(agents.WorkerOptions(entrypoint_fnc=entrypoint))
