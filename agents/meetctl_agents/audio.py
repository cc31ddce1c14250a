"""The audio-only agent: `python -m meetctl_agents.audio`. A voice in the room, behind the floor, and its meters."""

from __future__ import annotations

import asyncio

from livekit import rtc

from meetctl.protocol import Assignment, Ready

from .process.wire import Report
from .room.meters import report_room_leg
from .runtime import Inbox, run_program
from .speaking.room_sink import RoomAudioSink
from .speaking.speaker import Speaker


async def run_agent(room: rtc.Room, assignment: Assignment, report: Report, inbox: Inbox) -> None:
    """Attends the meeting until cancelled."""
    async with RoomAudioSink(room) as sink, Speaker(room, assignment, report, sink) as speaker:
        report(Ready())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(report_room_leg(room, report))
            tasks.create_task(speaker.wait_closed())
            tasks.create_task(speaker.follow(inbox))


if __name__ == "__main__":
    run_program(run_agent)
