"""`meetctl link`: a join link for a person, and for scripts the connection details behind it."""

from __future__ import annotations

import asyncio

from pydantic import SecretStr

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.rooms import meet_link
from meetctl.supervisor.control import ask


def link(room: str | None, *, name: str | None, host: bool, meet: str | None, as_json: bool) -> None:
    """Prints the join link, a LiveKit Meet link, or with `as_json` the token too."""
    _, files = find_meeting(room)
    wants_token = as_json or meet is not None
    request = {"do": "link", "host": host, "name": (name or "Guest") if wants_token else None}
    request["lasting"] = meet is not None
    answer = asyncio.run(ask(files.socket, request))
    if meet is not None:
        answer["meet_link"] = meet_link(meet, answer["livekit_url"], SecretStr(answer["token"]))
    if as_json:
        console.print_json(answer)
    else:
        console.print_data(answer["meet_link"] if meet is not None else answer["join_link"])
