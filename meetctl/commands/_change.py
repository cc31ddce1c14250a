"""`meetctl up` where that meeting runs already: says what differs, then has the supervisor make it so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from meetctl.commands._meetings import find_meeting, is_running, wait_for_agents
from meetctl.commands._run import prepare
from meetctl.display import console, lines
from meetctl.errors import ConflictError, NotRunningError
from meetctl.meeting.reconcile import Plan
from meetctl.roster import Roster, is_stream, kept, shown
from meetctl.roster.revealed import revealed
from meetctl.supervisor.control import ask

ANSWER_S = 90.0
"""The stop ladder takes ten seconds at worst, the chair's comes first, and another change may be under way."""


def change(roster: Roster, *, dry_run: bool, as_json: bool, wait_s: float | None) -> str | None:
    """Makes the running meeting like the roster, or with `dry_run` only says how; returns the join link if it did.

    Raises:
        ConflictError: if nothing differs, or something that cannot change while it runs.
    """
    room = roster.room
    if dry_run and not is_running(room, only_look=True):
        _show(room, Plan(added=roster.agents).as_dict(), as_json=as_json, as_data=True)
        return None
    _, files = find_meeting(room, only_look=dry_run)
    request: dict[str, Any] = {"do": "reconcile", "roster": revealed(_for_another(roster))}
    try:
        plan = asyncio.run(ask(files.socket, request | {"dry_run": True}))
    except NotRunningError:
        raise ConflictError(f"{room} is just starting or ending", hint=f"meetctl status {room}") from None
    if dry_run:
        _show(room, plan, as_json=as_json, as_data=True)
        return None
    if not any(plan[part] for part in ("added", "removed", "replaced", "settings")):
        raise ConflictError(
            f"a meeting named {room} is already up, and as {shown(roster.file)} says",
            hint=f"meetctl status {room}, or meetctl down {room}",
        )
    if not as_json:
        _show(room, plan, as_json=False, as_data=False)
    prepare(roster)
    done = asyncio.run(ask(files.socket, request, timeout_s=ANSWER_S))
    where = asyncio.run(ask(files.socket, {"do": "where"}))
    link = str(where["join_link"])
    if not as_json:
        console.print_data(link)
    if wait_s is not None:
        wait_for_agents(room, wait_s)
    if as_json:
        started = {"room": room, "join_link": link, "log_dir": where["log_dir"]}
        console.print_json({"schema_version": 1, **started, "changes": done})
    return link


def _for_another(roster: Roster) -> Roster:
    """Returns the roster as the supervisor can read it again, in whatever folder that is."""

    def found(path: Path) -> Path:
        return path if is_stream(path) else path.absolute()

    files = {"file": found(roster.file), "env_file": found(roster.env_file) if roster.env_file is not None else None}
    return roster.model_copy(update={**files, "streams": {name: SecretStr(text) for name, text in kept().items()}})


def _show(room: str, plan: Mapping[str, Any], *, as_json: bool, as_data: bool) -> None:
    if as_json:
        console.print_json({"schema_version": 1, "room": room, "changes": dict(plan)})
        return
    for line in lines.plan(room, plan):
        (console.print_data if as_data else console.talk)(line)
