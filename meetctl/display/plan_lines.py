"""What `up` does to a meeting that runs already, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plan_lines(room: str, plan: Mapping[str, Any]) -> list[str]:
    """Returns a line for everything that is touched, and one for what is not; `plan` is that of `--json`."""
    lines = [f"{room}: ~ {name} of the meeting" for name in plan["settings"]]
    if plan["restarts_chair"]:
        lines.append(f"{room}: ~ Chair: started again")
    lines += [f"{room}: - {_named(agent)}" for agent in plan["removed"]]
    lines += [f"{room}: ~ {_named(agent)}: {', '.join(agent['because'])}" for agent in plan["replaced"]]
    lines += [f"{room}: + {_named(agent)}" for agent in plan["added"]]
    if not lines:
        return [f"{room}: nothing to change"]
    if plan["unchanged"]:
        lines.append(f"{room}: = {', '.join(agent['name'] for agent in plan['unchanged'])} unchanged")
    return lines


def _named(agent: Mapping[str, Any]) -> str:
    return f"{agent['name']} ({agent['program']})"
