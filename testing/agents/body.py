"""A program whose body does what its first argument says: `python -m testing.agents.body MODE`."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from livekit import rtc
from meetctl_agents.process.wire import Report
from meetctl_agents.runtime import Inbox, run_program

from meetctl.errors import AgentFailed
from meetctl.protocol import Assignment, CastChanged, FloorChanged, Ready


async def body(room: rtc.Room, assignment: Assignment, report: Report, inbox: Inbox) -> None:
    mode = sys.argv[1]
    if mode == "prints":
        print("a stray print", flush=True)
        os.write(1, b"a stray write\n")
        os.system("echo a stray child")  # noqa: ASYNC221
    report(Ready())
    if mode == "raises":
        raise ValueError(f"no good, {assignment.token.get_secret_value()}")
    if mode == "drops a task":
        asyncio.create_task(_breaks(assignment.token.get_secret_value()))  # noqa: RUF006
    if mode == "gives up":
        raise AgentFailed("the face is not there", hint="draw one")
    if mode == "blocks":
        time.sleep(3600)  # noqa: ASYNC251
    if mode == "clings":
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                report(FloorChanged(holder="told to leave"))
    if mode == "echoes":
        command = await inbox.get()
        assert isinstance(command, CastChanged)
        report(FloorChanged(holder=command.cast[0].identity))
    await asyncio.Event().wait()


async def _breaks(secret: str) -> None:
    raise ValueError(f"nobody waits for me, {secret}")


if __name__ == "__main__":
    run_program(body)
