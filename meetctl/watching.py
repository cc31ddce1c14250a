"""The commands that watch a meeting, one that is over too: who is there, what happens, what was said and logged."""

from __future__ import annotations

from typing import Annotated

import typer

from meetctl.display.grouped_help import WATCH
from meetctl.options import Json, RoomName

app = typer.Typer(rich_markup_mode=None)


@app.command(rich_help_panel=WATCH, epilog="Example: meetctl status standup --watch")
def status(
    room: RoomName = None,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again until Ctrl-C.")] = False,
) -> None:
    """Show the meetings on this machine, or one of them.

    Shows services and agents, and the ICE state and frame rates of each leg.
    """
    from meetctl.commands.status import status

    status(room, as_json=as_json, watch=watch)


@app.command(rich_help_panel=WATCH, epilog="Example: meetctl attach standup")
def attach(room: RoomName = None) -> None:
    """Show the board of a detached meeting.

    q or Ctrl-C leaves the meeting running.
    """
    from meetctl.commands.attach import attach

    attach(room)


@app.command(rich_help_panel=WATCH, epilog="Example: meetctl logs Ada chair -f --since 5m")
def logs(
    agents: Annotated[
        list[str] | None, typer.Argument(metavar="AGENT", help="Agents and services; everybody unless given.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the meeting ends or Ctrl-C.")] = False,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=0, help="Only the last so many lines.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only from 5m ago on, or from 14:05, or an ISO time.")
    ] = None,
    room: Annotated[
        str | None, typer.Option("--room", help="The meeting, also one that is over; the last one unless given.")
    ] = None,
) -> None:
    """Print the logs of agents and services, merged by time.

    Also those of a meeting that is over.
    """
    from meetctl.commands.logs import logs

    logs(agents or (), room=room, follow=follow, lines=lines, since=since)


@app.command(rich_help_panel=WATCH, epilog="Example: meetctl events standup | jq 'select(.kind == \"utterance\")'")
def events(room: RoomName = None) -> None:
    """Print what happens from now on, one JSON object a line.

    Ends with the meeting. `docs/interfaces.md` lists the events.
    """
    from meetctl.commands.events import events

    events(room)


@app.command(rich_help_panel=WATCH, epilog="Example: meetctl transcript standup -f")
def transcript(
    room: Annotated[
        str | None, typer.Argument(metavar="ROOM", help="The meeting, also one that is over; the last unless given.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the meeting ends or Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line; failures too.")] = False,
) -> None:
    """Print what was said, also in a meeting that is over."""
    from meetctl.commands.transcript import transcript

    transcript(room, follow=follow, as_json=as_json)
