"""The command line: options in, one call each, and the only place that exits. Here are the commands that run a meeting.

Every command lives in `commands/` under its own name and is imported when it is called: `--help` must not wait for
what it does not need.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated, NoReturn

import typer

from meetctl import __version__, directing, preparing, proving, watching
from meetctl.display.encoding import adapt
from meetctl.display.grouped_help import RUN, GroupedCommands, PlainUsage
from meetctl.errors import ExitCode, Unheard
from meetctl.options import (
    EnvFile,
    Host,
    InRoom,
    Json,
    On,
    Port,
    ReportFd,
    RoleName,
    RoomName,
    RosterFile,
    Timeout,
    exit_with,
)

app = typer.Typer(
    name="meetctl",
    cls=GroupedCommands,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Meetings of several AI agents and several people: one file, one command, one link.",
)
GROUPS = (watching.app, directing.app, preparing.app, proving.app)
for _group in GROUPS:
    app.add_typer(_group)


@app.command(rich_help_panel=RUN, epilog="Example: meetctl up configs/demo.yaml")
def up(
    roster: RosterFile,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it running and return.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With -d: return when every agent is ready.")] = False,
    timeout: Timeout = 120,
    open_: Annotated[bool, typer.Option("--open", help="Open the join link in a browser.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Start only this agent; may be repeated.")
    ] = None,
    room: Annotated[str | None, typer.Option("--room", help="Room name, instead of the roster's.")] = None,
    host: Host = None,
    port: Port = None,
    on: On = None,
    env_file: EnvFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")] = False,
    as_json: Json = False,
    report_fd: ReportFd = None,
) -> None:
    """Start the meeting of a roster and show its live board.

    Starts a server, a room, a join link and the agents; Ctrl-C ends them all. Where that meeting runs already, only
    what the roster changes is touched.
    """
    from meetctl.commands.up import up

    exit_with(
        up(
            roster,
            room=room,
            only=only or (),
            detach=detach,
            wait=wait,
            timeout_s=timeout,
            open_browser=open_,
            dry_run=dry_run,
            as_json=as_json,
            report_fd=report_fd,
            env_file=env_file,
            host=host,
            port=port,
            on=on,
        )
    )


@app.command(rich_help_panel=RUN, epilog="Example: meetctl join standup --agent simli --name Zoe")
def join(
    room: Annotated[
        str, typer.Argument(metavar="ROOM", help="A meeting of this machine, or a room of the server in LIVEKIT_URL.")
    ],
    agent: Annotated[
        str,
        typer.Option("--agent", help="simli, audio, an entry of the running roster, or a YAML file with one entry."),
    ],
    name: Annotated[str | None, typer.Option("--name", help="Its display name.")] = None,
    face_id: Annotated[str | None, typer.Option("--face-id", help="A Simli face id.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="In a room elsewhere: leave it running and return.")
    ] = False,
    timeout: Timeout = 120,
    env_file: EnvFile = None,
    as_json: Json = False,
    report_fd: ReportFd = None,
) -> None:
    """Add an agent to a running meeting or any LiveKit room.

    A room that is no meeting of this machine is found by LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.
    """
    from meetctl.commands.join import join

    exit_with(
        join(
            room,
            agent=agent,
            name=name,
            face_id=face_id,
            detach=detach,
            timeout_s=timeout,
            as_json=as_json,
            report_fd=report_fd,
            env_file=env_file,
        )
    )


@app.command(rich_help_panel=RUN, epilog="Example: meetctl worker --max-agents 8")
def worker(
    max_agents: Annotated[int, typer.Option("--max-agents", min=1, max=30, help="Agents at a time.")] = 4,
    label: Annotated[str | None, typer.Option("--label", help="Take only agents on workers/LABEL.")] = None,
    host: Annotated[str, typer.Option("--host", metavar="ADDR", help="Where health is asked for.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port of that; 0 = a free one.")] = 0,
    local_models: Annotated[
        bool, typer.Option("--local-models/--no-local-models", help="Keep local models for agents that use them.")
    ] = True,
) -> None:
    """Take agents of meetings that are controlled from elsewhere.

    LiveKit places them: LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET say which server. Providers' keys are this
    machine's own.
    """
    from meetctl.commands.worker import worker

    exit_with(worker(max_agents=max_agents, label=label, host=host, port=port, local_models=local_models))


@app.command(rich_help_panel=RUN, epilog="Example: meetctl down standup")
def down(
    room: RoomName = None,
    all_: Annotated[bool, typer.Option("--all", help="End every meeting on this machine.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", "-t", min=0, help="Seconds before it is forced.")] = 10,
    as_json: Json = False,
) -> None:
    """End a meeting and prove that nothing of it is left.

    Prints that processes are gone, avatar sessions closed and the room deleted.
    """
    from meetctl.commands.down import down

    down(room, all_meetings=all_, timeout_s=timeout, as_json=as_json)


@app.command(rich_help_panel=RUN, epilog="Example: meetctl restart Ada")
def restart(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Name or identity of an agent, or a service's name.")],
    room: InRoom = None,
    timeout: Timeout = 120,
    as_json: Json = False,
) -> None:
    """Restart an agent and wait until it is ready."""
    from meetctl.commands.restart import restart

    restart(agent, room=room, timeout_s=timeout, as_json=as_json)


@app.command(rich_help_panel=RUN, epilog="Example: meetctl leave Ada --room standup")
def leave(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Name or identity of an agent.")],
    room: InRoom = None,
    as_json: Json = False,
) -> None:
    """Remove an agent from a meeting for good."""
    from meetctl.commands.leave import leave

    leave(agent, room=room, as_json=as_json)


@app.command(rich_help_panel=RUN, epilog="Example: meetctl link standup --name Bob --json")
def link(
    room: RoomName = None,
    name: Annotated[
        str | None, typer.Option("--name", help="A personal link; with --json or --meet: whom the token is for.")
    ] = None,
    role: Annotated[RoleName, typer.Option("--role", help="An observer hears and reads, and sends nothing.")] = (
        RoleName.GUEST
    ),
    host: Annotated[bool, typer.Option("--host", help="The same as --role host.")] = False,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="With --name: it lets nobody in after 2h, say.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="With --name: for the first browser that joins by it.")] = False,
    revoke: Annotated[
        str | None, typer.Option("--revoke", metavar="NAME", help="Take back NAME's personal links, or all links.")
    ] = None,
    qr: Annotated[bool, typer.Option("--qr", help="Show it as a QR code too.")] = False,
    meet: Annotated[
        str | None, typer.Option("--meet", metavar="URL", help="Print a link for this LiveKit Meet deployment.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print a join link, with --json also a token.

    Links are good until the meeting ends, and personal ones until they are taken back or run out.
    """
    from meetctl.commands.link import link

    link(
        room,
        name=name,
        role="host" if host else role.value,
        expires=expires,
        once=once,
        revoke=revoke,
        qr=qr,
        meet=meet,
        as_json=as_json,
    )


for _commands in (app, *GROUPS):
    for _command in _commands.registered_commands:
        _command.cls = PlainUsage


def _version(value: bool) -> None:
    if value:
        typer.echo(f"meetctl {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Runs one command and exits with its code; every failure is told in two lines, or as JSON."""
    adapt(sys.stdout)
    adapt(sys.stderr)
    signal.signal(signal.SIGTERM, _terminated)
    code = _run("--json" in sys.argv[1:])
    from meetctl.display.streams import let_go

    let_go()
    sys.exit(code)


def _run(as_json: bool) -> int | str | None:
    """Returns the exit code; what it tells of a failure may go to nobody."""
    try:
        app(standalone_mode=True)
    except SystemExit as leaving:
        return leaving.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # of what Typer writes itself
        return ExitCode.OK
    except Unheard as nobody:
        return nobody.exit_code
    except Exception as error:
        from meetctl.display.failures import tell_failure

        return tell_failure(error, as_json=as_json)
    return ExitCode.OK


def _terminated(*_: object) -> NoReturn:
    """Unwinds the stack as Ctrl-C does, so that whoever started something ends it."""
    raise SystemExit(int(ExitCode.TERMINATED))
