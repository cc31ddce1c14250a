"""`meetctl leave`: an agent leaves a running meeting for good."""

from __future__ import annotations

import asyncio

from meetctl.commands._meetings import find_meeting
from meetctl.commands.restart import ANSWER_S
from meetctl.display import console
from meetctl.supervisor.control import ask


def leave(agent: str, *, room: str | None, as_json: bool) -> None:
    """Ends the agent and takes its seat away; returns when its participant is gone."""
    note, files = find_meeting(room)
    answer = asyncio.run(ask(files.socket, {"do": "leave", "agent": agent}, timeout_s=ANSWER_S))
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
    else:
        console.print_data(f"{answer['name']} left {note.room}")
