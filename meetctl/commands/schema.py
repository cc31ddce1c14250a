"""`meetctl schema`: the roster's JSON Schema, for editors that complete and check while one types."""

from __future__ import annotations

from meetctl.display import console
from meetctl.roster.json_schema import roster_json_schema


def schema() -> None:
    """Prints it."""
    console.print_json(roster_json_schema())
