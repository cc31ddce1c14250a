"""`meetctl drill`: injects a fault into a running meeting and shows what broke and how long each repair took."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.display import drill as words
from meetctl.errors import ExitCode, TimedOutError
from meetctl.supervisor.control import follow

ANSWER_MARGIN_S = 30.0
"""The supervisor bounds the drill itself; this is for one that has stopped answering."""


def drill(
    fault: str, agent: str | None, *, room: str | None, stall_s: float, timeout_s: float, as_json: bool
) -> ExitCode:
    """Carries out the drill; the code says whether all was repaired within the time."""
    _, files = find_meeting(room)
    bound_s = timeout_s + (stall_s if fault == "stall" else 0)
    request = {"do": "drill", "fault": fault, "agent": agent, "stall_s": stall_s, "bound_s": bound_s}
    result = asyncio.run(_follow(files.socket, request, bound_s, as_json))
    if as_json:
        console.print_json({key: value for key, value in result.items() if key != "kind"})
    else:
        for line in words.table(result):
            console.print_data(line)
    return ExitCode.OK if result["repaired"] else ExitCode.FAILED


async def _follow(socket: Path, request: dict[str, Any], bound_s: float, quiet: bool) -> dict[str, Any]:
    result: dict[str, Any] | None = None
    try:
        async with asyncio.timeout(bound_s + ANSWER_MARGIN_S):
            async for item in follow(socket, request):
                if item["kind"] == "result":
                    result = item
                elif not quiet:
                    console.talk(words.line(item))
    except TimeoutError:
        pass
    if result is None:
        raise TimedOutError("the supervisor did not tell how the drill ended", hint="meetctl status")
    return result
