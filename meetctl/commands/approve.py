"""`meetctl approve`, `meetctl deny`: decide what waits for a host's word, as hosts do on the page."""

from __future__ import annotations

import asyncio
from typing import Any

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import ask

BY = "the host at the terminal"


def decide(id: str, *, allowed: bool, room: str | None, as_json: bool) -> None:
    """Decides the request of that id; empty = the only one that waits."""
    note, files = find_meeting(room)
    request = {"do": "decide", "id": id, "allowed": allowed, "by": BY}
    answer = asyncio.run(ask(files.socket, request))
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
        return
    decided: dict[str, Any] = answer["request"]
    word = "allowed" if allowed else "refused"
    console.print_data(f"{note.room}: {word} {decided['name']} {decided['what']} {decided['detail']}")
