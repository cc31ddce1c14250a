"""What several commands have: options and arguments, as types of their parameters, and the way out with a code."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from meetctl.errors import ExitCode

Json = Annotated[bool, typer.Option("--json", help="Print JSON; failures too.")]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for agents to be ready.")]
RosterFile = Annotated[Path, typer.Argument(metavar="ROSTER", help="The roster, a YAML file; - reads stdin.")]
EnvFile = Annotated[
    Path | None, typer.Option("--env-file", metavar="FILE", help="Read variables from here instead of from .env.")
]
InRoom = Annotated[str | None, typer.Option("--room", help="The meeting; needed where several run.")]
RoomName = Annotated[str | None, typer.Argument(metavar="ROOM", help="The meeting; needed where several run.")]
AgentName = Annotated[str, typer.Argument(metavar="AGENT", help="Name or identity of an agent.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="In quotes.")]
Host = Annotated[
    str | None, typer.Option("--host", metavar="ADDR", help="Let people on other machines in at this address, or auto.")
]
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="With --host: the port; 443 or 7443 unless given.")
]
On = Annotated[
    str | None,
    typer.Option("--on", metavar="PLACE", help="Where agents run: local, workers or workers/LABEL."),
]
ReportFd = Annotated[int | None, typer.Option("--report-fd", hidden=True)]


class FaultName(StrEnum):
    """What `drill` does; the same as `meetctl.meeting.drill.Fault`, which is too heavy for `--help`."""

    KILL = "kill"
    STALL = "stall"
    SERVER = "server"
    MODELS = "models"


class RoleName(StrEnum):
    """What a link makes of a person; the same as `meetctl.web.invites.Role`."""

    GUEST = "guest"
    HOST = "host"
    OBSERVER = "observer"


def exit_with(code: ExitCode) -> None:
    """Ends a command with this code; returns where all is well.

    Raises:
        typer.Exit: which `cli.py` has passed on to the shell.
    """
    if code is not ExitCode.OK:
        raise typer.Exit(int(code))
