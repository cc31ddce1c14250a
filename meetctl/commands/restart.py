"""`meetctl restart`: an agent or a service ends and begins again in its seat; nobody counts it as a failure."""

from __future__ import annotations

import asyncio

from meetctl.commands._meetings import find_meeting, wait_for_agents
from meetctl.display import console
from meetctl.supervisor.control import ask

ANSWER_S = 40.0
"""The stop ladder takes ten seconds with who is stubborn, and another command's may be under way."""


def restart(agent: str, *, room: str | None, timeout_s: float, as_json: bool) -> None:
    """Starts it again and waits until it is ready."""
    note, files = find_meeting(room)
    answer = asyncio.run(ask(files.socket, {"do": "restart", "agent": agent}, timeout_s=ANSWER_S))
    wait_for_agents(note.room, timeout_s, [answer["identity"]])
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
    else:
        console.print_data(f"{answer['name']} is back in {note.room}")
