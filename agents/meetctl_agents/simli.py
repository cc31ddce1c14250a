"""The avatar agent: `python -m meetctl_agents.simli`. A voice behind the floor, and a face that says it.

It joins the voice to the avatar, bridged or in the room by itself; neither knows of the other.
"""

from __future__ import annotations

import asyncio

from livekit import rtc

from meetctl.protocol import Assignment, Purpose, Ready, Usage, UsageKind

from .face.bridge import Bridge
from .face.direct import Direct
from .models.usage import UsageMeter
from .process.tasks import entering
from .process.wire import Report
from .runtime import Inbox, run_program
from .speaking.speaker import Speaker


async def run_agent(room: rtc.Room, assignment: Assignment, report: Report, inbox: Inbox) -> None:
    """Attends the meeting until cancelled, or until something fails that no reconnection mends."""

    usage = UsageMeter(report)

    def count(seconds: float) -> None:
        usage.add(Usage(kind=UsageKind.AVATAR_SECONDS, amount=seconds, purpose=Purpose.FACE, provider="simli"))

    joins_itself = assignment.face is not None and assignment.face.avatar is not None
    face = (Direct if joins_itself else Bridge)(room, assignment, report, count)
    speaker = Speaker(room, assignment, report, face.output, usage)
    async with entering(face) as there, speaker:
        await there
        report(Ready())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(face.wait_failed())
            tasks.create_task(speaker.wait_closed())
            tasks.create_task(speaker.follow(inbox))


if __name__ == "__main__":
    run_program(run_agent)
