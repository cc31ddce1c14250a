"""`meetctl approve`, `admit`, `deny`: decide what waits for a host's word, as hosts do on the page."""

from __future__ import annotations

import asyncio
from typing import Any

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import ask

BY = "the host at the terminal"


def decide(id: str, *, allowed: bool, kind: str | None, room: str | None, as_json: bool) -> None:
    """Decides the request of that id, or of somebody outside of that name; empty = the only one that waits.

    Args:
        kind: of those requests alone; None = of all.
    """
    note, files = find_meeting(room)
    request = {"do": "decide", "id": id, "allowed": allowed, "kind": kind, "by": BY}
    answer = asyncio.run(ask(files.socket, request))
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
        return
    decided: dict[str, Any] = answer["request"]
    console.print_data(f"{note.room}: {_told(decided, allowed)}")


def _told(decided: dict[str, Any], allowed: bool) -> str:
    if decided["kind"] == "admission":
        return f"{decided['name']} {'is' if allowed else 'is not'} let in"
    return f"{'allowed' if allowed else 'refused'} {decided['name']} {decided['what']} {decided['detail']}"
