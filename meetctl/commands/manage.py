"""`meetctl kick`, `lock`, `unlock`: what a host does with the people of a running meeting."""

from __future__ import annotations

import asyncio

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import ask
from meetctl.web.people import Manage

DONE = {
    Manage.KICK: "{name} was removed and cannot come back; the guests' link still lets others in, until `meetctl lock`",
    Manage.LOCK: "nobody new comes in",
    Manage.UNLOCK: "people may come in again",
}


def manage(do: Manage, *, person: str = "", room: str | None, as_json: bool) -> None:
    """Has the meeting do it, and says what was done."""
    note, files = find_meeting(room)
    answer = asyncio.run(ask(files.socket, {"do": "manage", "action": do.value, "person": person}))
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
    else:
        console.print_data(f"{note.room}: {DONE[do].format_map(answer)}")
