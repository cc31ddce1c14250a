"""The commands that prove something: that agents do what is asked, that faults heal, that a meeting works here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meetctl.display.grouped_help import PROVE
from meetctl.options import EnvFile, FaultName, Host, InRoom, Json, Port, Timeout, exit_with

app = typer.Typer(rich_markup_mode=None)


@app.command(rich_help_panel=PROVE, epilog="Example: meetctl rehearse configs/rehearsal.yaml")
def rehearse(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario, a YAML file.")],
    keep: Annotated[bool, typer.Option("--keep", help="Keep logs and transcript of a rehearsal that passes.")] = False,
    timeout: Timeout = 120,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Play a meeting with scripted people and check the agents.

    Exits with code 1 if an expectation fails.
    """
    from meetctl.commands.rehearse import rehearse

    exit_with(rehearse(scenario, keep=keep, timeout_s=timeout, as_json=as_json, env_file=env_file))


@app.command(rich_help_panel=PROVE, epilog="Example: meetctl drill kill Ada")
def drill(
    fault: Annotated[FaultName, typer.Argument(metavar="FAULT", help="What is to happen.")],
    agent: Annotated[
        str | None, typer.Argument(metavar="AGENT", help="Whom to kill or stall; default: the first agent.")
    ] = None,
    room: InRoom = None,
    stall: Annotated[float, typer.Option("--for", min=1, max=120, help="Seconds that a stall lasts.")] = 8,
    timeout: Annotated[float, typer.Option("--timeout", min=1, max=600, help="Seconds for all repairs.")] = 60,
    as_json: Json = False,
) -> None:
    """Inject a fault into a running meeting and time the repair.

    People in the meeting notice it. Shows what broke, and how long each repair took.
    """
    from meetctl.commands.drill import drill

    exit_with(drill(fault.value, agent, room=room, stall_s=stall, timeout_s=timeout, as_json=as_json))


@app.command(rich_help_panel=PROVE, epilog="Example: meetctl doctor configs/cloud.yaml")
def doctor(
    roster: Annotated[
        Path | None,
        typer.Argument(metavar="ROSTER", help="Ask its models, servers and keys something too."),
    ] = None,
    host: Host = None,
    port: Port = None,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Find what would keep a meeting from working here.

    Looks at this machine and what is around it, and says what to do about each finding.
    """
    from meetctl.commands.doctor import doctor

    exit_with(doctor(roster, as_json=as_json, env_file=env_file, host=host, port=port))
