"""`meetctl kick`, `lock`, `unlock`: what a host does with the people of a running meeting."""

from __future__ import annotations

import asyncio

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import ask
from meetctl.web.people import HELD_ELSEWHERE, Manage

DONE = {
    Manage.KICK: "{name} was removed and cannot come back; the guests' link still lets others in, until `meetctl lock`",
    Manage.LOCK: "nobody new comes in",
    Manage.UNLOCK: "people may come in again",
}

KICKED_HOST = ". They may know the hosts' link, which lets in elsewhere, locked or not: meetctl link --revoke all"
KICKED_ELSEWHERE = f"{{name}} was removed. The LiveKit server is not meetctl's own: {HELD_ELSEWHERE}"


def manage(do: Manage, *, person: str = "", room: str | None, as_json: bool) -> None:
    """Has the meeting do it, and says what was done."""
    note, files = find_meeting(room)
    answer = asyncio.run(ask(files.socket, {"do": "manage", "action": do.value, "person": person}))
    done = DONE[do]
    if do is Manage.KICK and not answer["own_server"]:
        done = KICKED_ELSEWHERE
    if do is Manage.KICK and answer["role"] == "host":
        done += KICKED_HOST
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
    else:
        console.print_data(f"{note.room}: {done.format_map(answer)}")
