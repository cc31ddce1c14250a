"""`meetctl schema`: the JSON Schema of a roster or a scenario, for editors that complete and check while one types."""

from __future__ import annotations

from meetctl.display import console
from meetctl.rehearsal.json_schema import scenario_json_schema
from meetctl.roster.json_schema import roster_json_schema


def schema(*, scenario: bool) -> None:
    """Prints it."""
    console.print_json(scenario_json_schema() if scenario else roster_json_schema())
