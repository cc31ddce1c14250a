"""The avatar agent: `python -m meetctl_agents.simli`. A voice behind the floor, and a face that says it.

It joins the voice to the avatar, bridged or in the room by itself; neither knows of the other.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from livekit import rtc

from meetctl.protocol import Assignment, Purpose, Ready, Usage, UsageKind

from .face.bridge import Bridge
from .face.direct import Direct
from .face.signaling.base import SAMPLE_RATE
from .models.usage import UsageMeter
from .process.tasks import entering
from .process.wire import Report
from .runtime import Inbox, run_program
from .speaking.room_sink import RoomAudioSink
from .speaking.speaker import Speaker


async def run_agent(room: rtc.Room, assignment: Assignment, report: Report, inbox: Inbox) -> None:
    """Attends the meeting until cancelled, or until something fails that no reconnection mends."""

    usage = UsageMeter(report)

    def count(seconds: float) -> None:
        usage.add(Usage(kind=UsageKind.AVATAR_SECONDS, amount=seconds, purpose=Purpose.FACE, provider="simli"))

    async with AsyncExitStack() as stack:
        face: Direct | Bridge
        if assignment.face is not None and assignment.face.avatar is not None:
            own_voice = await stack.enter_async_context(RoomAudioSink(room, SAMPLE_RATE))
            face = Direct(room, assignment, report, count, own_voice)
        else:
            face = Bridge(room, assignment, report, count)
        there = await stack.enter_async_context(entering(face))
        speaker = await stack.enter_async_context(Speaker(room, assignment, report, face.output, usage))
        await there
        report(Ready())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(face.wait_failed())
            tasks.create_task(speaker.wait_closed())
            tasks.create_task(speaker.follow(inbox))


if __name__ == "__main__":
    run_program(run_agent)
