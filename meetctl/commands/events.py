"""`meetctl events`: what happens in a meeting, one JSON object a line, from now until it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import follow


def events(room: str | None) -> None:
    """Prints every event until the meeting ends; raises NotRunningError where its supervisor died."""
    _, files = find_meeting(room)
    asyncio.run(_print(files.socket))


async def _print(socket: Path) -> None:
    async for event in follow(socket, {"do": "events"}):
        console.print_json_line(event)
