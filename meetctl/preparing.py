"""The commands that prepare a meeting: they check and write rosters, and fetch what a meeting needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meetctl.display.grouped_help import PREPARE
from meetctl.options import EnvFile, Json, RosterFile

app = typer.Typer(rich_markup_mode=None)


@app.command(rich_help_panel=PREPARE, epilog="Example: meetctl check configs/demo.yaml")
def check(
    roster: RosterFile,
    show_variables: Annotated[
        bool, typer.Option("--environment", help="Show where each variable comes from, never its value.")
    ] = False,
    env_file: EnvFile = None,
    as_json: Json = False,
) -> None:
    """Report everything that is wrong with a roster."""
    from meetctl.commands.check import check

    check(roster, as_json=as_json, env_file=env_file, show_variables=show_variables)


@app.command(rich_help_panel=PREPARE, epilog="Example: meetctl init team.yaml")
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = Path("roster.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write a first roster, which needs no key."""
    from meetctl.commands.init import init

    init(path, force=force)


@app.command(rich_help_panel=PREPARE, epilog="Example: meetctl schema > roster.schema.json")
def schema(
    scenario: Annotated[bool, typer.Option("--scenario", help="The schema of a scenario instead.")] = False,
) -> None:
    """Print the JSON Schema of a roster, for editors."""
    from meetctl.commands.schema import schema

    schema(scenario=scenario)


@app.command(rich_help_panel=PREPARE, epilog="Example: meetctl setup")
def setup(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="Local models: local (unless given), local/tiny, or by name."),
    ] = None,
) -> None:
    """Fetch livekit-server and the local models beforehand."""
    from meetctl.commands.setup import models_named, setup
    from meetctl.display import console

    server = setup(models=models_named(models or ()))
    console.print_data(f"ready: livekit-server at {server}, models in the cache")
