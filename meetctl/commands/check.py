"""`meetctl check`: reads a roster and says everything that is wrong with it; starts nothing."""

from __future__ import annotations

from pathlib import Path

from meetctl.display import console
from meetctl.roster import load_roster
from meetctl.settings import environment


def check(path: Path, *, as_json: bool) -> None:
    """Validates the roster; raises RosterError with every fault at once."""
    roster = load_roster(path, environment=environment())
    if as_json:
        console.print_json(
            {
                "schema_version": 1,
                "ok": True,
                "room": roster.room,
                "agents": [
                    {"name": entry.name, "identity": entry.identity, "program": entry.program.value}
                    for entry in roster.agents
                ],
            }
        )
        return
    agents = ", ".join(f"{entry.name} ({entry.program.value})" for entry in roster.agents)
    console.print_data(f"{path}: good. Room {roster.room}; {agents}")
