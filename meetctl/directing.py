"""The commands that direct a running meeting: its agents by `say`, `ask` …, and its people by `kick`, `lock` …"""

from __future__ import annotations

from typing import Annotated

import typer

from meetctl.display.grouped_help import DIRECT
from meetctl.options import AgentName, InRoom, Json, RoomName, Words

app = typer.Typer(rich_markup_mode=None)


@app.command(rich_help_panel=DIRECT, epilog='Example: meetctl say Ada "Welcome, everyone."')
def say(agent: AgentName, text: Words, room: InRoom = None, as_json: Json = False) -> None:
    """Have an agent say these very words."""
    _direct("say", agent, text, room, as_json)


@app.command(rich_help_panel=DIRECT, epilog='Example: meetctl ask Ada "What is still open?"')
def ask(agent: AgentName, text: Words, room: InRoom = None, as_json: Json = False) -> None:
    """Ask an agent something; it answers aloud."""
    _direct("ask", agent, text, room, as_json)


@app.command(rich_help_panel=DIRECT, epilog='Example: meetctl tell "News: the launch moved to Monday."')
def tell(text: Words, room: InRoom = None, as_json: Json = False) -> None:
    """Tell every agent a fact; nobody answers it."""
    _direct("tell", "", text, room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl floor Max")
def floor(agent: AgentName, room: InRoom = None, as_json: Json = False) -> None:
    """Have an agent speak next; it chooses what to say."""
    _direct("floor", agent, "", room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl mute Max")
def mute(
    agent: Annotated[str, typer.Argument(metavar="NAME", help="Name or identity of an agent or a person.")],
    room: InRoom = None,
    as_json: Json = False,
) -> None:
    """Silence an agent until `unmute`, or a person.

    An agent goes on listening. A person can switch the microphone on again.
    """
    _direct("mute", agent, "", room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl unmute Max")
def unmute(
    agent: Annotated[str, typer.Argument(metavar="NAME", help="Name or identity of an agent or a person.")],
    room: InRoom = None,
    as_json: Json = False,
) -> None:
    """Let a muted agent speak again, or ask a person to.

    A person's page shows the request: nobody but they switches their microphone on.
    """
    _direct("unmute", agent, "", room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl kick Bob")
def kick(
    person: Annotated[str, typer.Argument(metavar="NAME", help="Name or identity of a person.")],
    room: InRoom = None,
    as_json: Json = False,
) -> None:
    """Remove a person, who cannot come back."""
    _manage("kick", person, room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl lock standup")
def lock(room: RoomName = None, as_json: Json = False) -> None:
    """Let nobody new in; who is there stays."""
    _manage("lock", "", room, as_json)


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl unlock standup")
def unlock(room: RoomName = None, as_json: Json = False) -> None:
    """Let people in again."""
    _manage("unlock", "", room, as_json)


RequestId = Annotated[str, typer.Argument(metavar="ID", help="Of the request; where one waits, it is that.")]
Waiting = Annotated[
    str, typer.Argument(metavar="NAME", help="Of who waits, or the request's id; where one waits, it is that.")
]


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl admit Bob")
def admit(name: Waiting = "", room: InRoom = None, as_json: Json = False) -> None:
    """Let in a person who waits outside.

    People wait where the roster says `meeting: {admit: ask}`.
    """
    _decide(name, True, room, as_json, kind="admission")


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl approve 3")
def approve(id: RequestId = "", room: InRoom = None, as_json: Json = False) -> None:
    """Let an agent use a tool that it asked for."""
    _decide(id, True, room, as_json, kind="tool")


@app.command(rich_help_panel=DIRECT, epilog="Example: meetctl deny 3")
def deny(
    id: Annotated[
        str, typer.Argument(metavar="ID", help="Of the request, or the name of who waits; where one waits, it is that.")
    ] = "",
    room: InRoom = None,
    as_json: Json = False,
) -> None:
    """Refuse an agent a tool, or a person to come in."""
    _decide(id, False, room, as_json)


def _decide(id: str, allowed: bool, room: str | None, as_json: bool, kind: str | None = None) -> None:
    from meetctl.commands.approve import decide

    decide(id, allowed=allowed, kind=kind, room=room, as_json=as_json)


def _direct(do: str, agent: str, text: str, room: str | None, as_json: bool) -> None:
    from meetctl.commands.direct import direct
    from meetctl.web.direction import Directive

    direct(Directive(do), agent=agent, text=text, room=room, as_json=as_json)


def _manage(do: str, person: str, room: str | None, as_json: bool) -> None:
    from meetctl.commands.manage import manage
    from meetctl.web.people import Manage

    manage(Manage(do), person=person, room=room, as_json=as_json)
