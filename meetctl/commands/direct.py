"""`meetctl say`, `ask`, `tell`, `floor`, `mute`, `unmute`: direction of a running meeting from outside its room."""

from __future__ import annotations

import asyncio

from meetctl.commands._meetings import find_meeting
from meetctl.display import console
from meetctl.supervisor.control import ask
from meetctl.web.direction import Directive

DONE = {
    Directive.SAY: "{name} will say it",
    Directive.ASK: "{name} is asked",
    Directive.TELL: "every agent is told",
    Directive.FLOOR: "{name} speaks next",
    Directive.MUTE: "{name} is muted",
    Directive.UNMUTE: "{name} may speak again",
}

TO_PEOPLE = {
    Directive.MUTE: "{name} is muted, until they switch their microphone on",
    Directive.UNMUTE: "{name} is asked to switch the microphone on; nobody else can",
}


def direct(do: Directive, *, agent: str = "", text: str = "", room: str | None, as_json: bool) -> None:
    """Hands it to the meeting's chair, which does it as soon as no person speaks."""
    note, files = find_meeting(room)
    request = {"do": "direct", "directive": do.value, "agent": agent, "text": text}
    answer = asyncio.run(ask(files.socket, request))
    if as_json:
        console.print_json({"schema_version": 1, "room": note.room, **answer})
    else:
        done = (TO_PEOPLE if answer.get("is_person") else DONE)[do]
        console.print_data(f"{note.room}: {done.format_map(answer)}")
