"""`meetctl check`: reads a roster and says everything that is wrong with it; starts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meetctl.display import console
from meetctl.display.variables import as_documents, as_lines
from meetctl.errors import MeetctlError
from meetctl.protocol.likeness import ANOTHER_NAME, mistaken_for, told_apart
from meetctl.roster import Roster, load_roster, load_variables, origins, shown
from meetctl.settings import environment
from meetctl.web.people import HELD_ELSEWHERE


def check(path: Path, *, as_json: bool, env_file: Path | None = None, show_variables: bool = False) -> None:
    """Validates the roster; raises RosterError with every fault at once.

    Args:
        show_variables: also say where every variable that it asks for comes from; of a wrong roster too.
    """
    variables = load_variables(path, env_file, environment())
    try:
        roster = load_roster(path, environment=variables)
    except MeetctlError:
        if show_variables and not as_json:
            for line in as_lines(origins(path, variables)):
                console.print_data(line)
        raise
    alike = mistaken_for(entry.name for entry in roster.agents)
    found = origins(path, variables) if show_variables else []
    if as_json:
        document: dict[str, Any] = {
            "schema_version": 1,
            "ok": True,
            "room": roster.room,
            "agents": [
                {"name": entry.name, "identity": entry.identity, "program": entry.program.value}
                for entry in roster.agents
            ],
            "warnings": [{"message": told_apart(*pair), "hint": ANOTHER_NAME} for pair in alike],
            "notes": list(_notes(roster)),
        }
        console.print_json(document | ({"environment": as_documents(found)} if show_variables else {}))
        return
    for line in as_lines(found):
        console.print_data(line)
    agents = ", ".join(f"{entry.name} ({entry.program.value})" for entry in roster.agents)
    for pair in alike:
        console.talk(f"{told_apart(*pair)}; {ANOTHER_NAME}")
    for note in _notes(roster):
        console.talk(f"note: {note}")
    console.print_data(f"{shown(path)}: good. Room {roster.room}; {agents}")


def _notes(roster: Roster) -> Iterator[str]:
    """Yields what is right as it is, and still to be known."""
    if roster.livekit is not None:
        yield f"{roster.livekit.url} is not meetctl's own server: {HELD_ELSEWHERE}"
