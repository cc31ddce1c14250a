"""The board: a status document as something Rich can draw at any width. Pure: no console, no clock, no state.

A colour never says anything alone; the word beside it says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from meetctl.display.people_table import people_columns
from meetctl.display.table import Column, table
from meetctl.display.words import MISSING, clock, figure, local_time, outside, troubles, waits
from meetctl.status.document import NOT_ANSWERING, AgentStatus, LegStatus, MeetingStatus, SeatStatus, StatusDocument

STATE_STYLES = {
    "running": "green",
    "starting": "cyan",
    "waiting": "dim",
    "stopping": "cyan",
    "degraded": "yellow",
    "stalled": "bold yellow",
    "backoff": "yellow",
    "exited": "dim",
    "fatal": "bold red",
    NOT_ANSWERING: "bold red",
}
ICE_STYLES = {
    "connected": "green",
    "completed": "green",
    "new": "dim",
    "checking": "cyan",
    "closed": "dim",
    "disconnected": "yellow",
    "failed": "bold red",
}
SPEECH_STYLES = {"speaking": "bold magenta", "thinking": "cyan", "initializing": "dim"}
LEGS = ("room", "simli")
JOIN = "join "
LINK_TEXT = "open the page"
MOST_OUTSIDE = 5
"""Of those who wait outside, how many are named."""

S = TypeVar("S", bound=SeatStatus)


def render_all(document: StatusDocument, *, hyperlinks: bool = False) -> RenderableType:
    """Returns all meetings of a status document; it fits itself to the width it is drawn at.

    Args:
        hyperlinks: whether the terminal can hold an address under a short text. Where it cannot, a join link that is
            longer than a line is left out, see `links_outside`.
    """
    meetings = document.meetings
    if not meetings:
        return Text("no meeting runs on this machine")
    return _Boards(meetings, hyperlinks)


def links_outside(document: StatusDocument, width: int) -> list[str]:
    """Returns the join links that no line of the board has room for: whole lines, never to be broken.

    A link over two lines can be neither clicked nor copied; a terminal that wraps one line by itself knows that.
    """
    meetings = document.meetings
    return [
        f"join {meeting.join_link}" if len(meetings) == 1 else f"{meeting.room}: join {meeting.join_link}"
        for meeting in meetings
        if meeting.join_link and not _fits(meeting.join_link, width)
    ]


def render(meeting: MeetingStatus, width: int, *, hyperlinks: bool = False) -> RenderableType:
    """Returns one meeting's board for this many columns."""
    parts: list[RenderableType] = [_title(meeting)]
    if meeting.join_link and (hyperlinks or _fits(meeting.join_link, width)):
        shown = meeting.join_link if _fits(meeting.join_link, width) else LINK_TEXT
        parts.append(Text(JOIN, style="dim").append(shown, style=f"bold link {meeting.join_link}"))
    inner = width - 2
    if meeting.state == NOT_ANSWERING and meeting.error is not None:
        note = Text(meeting.error.message, style="red")
        parts.append(_indented(_with_hint(note, meeting.error.hint)))
    if meeting.services:
        parts += [Text(""), _indented(table(_service_columns(meeting.services), inner))]
    if meeting.agents:
        parts += [Text(""), _indented(table(_agent_columns(meeting.agents), inner))]
    if meeting.people:
        parts += [Text(""), _indented(table(people_columns(meeting.people), inner))]
    outsiders = outside(meeting)
    parts += [_indented(Text(waits(request), style="yellow")) for request in outsiders[:MOST_OUTSIDE]]
    if more := len(outsiders[MOST_OUTSIDE:]):
        parts.append(_indented(Text(f"and {more} more wait: meetctl status --json", style="yellow")))
    notes = [note for seat in (*meeting.services, *meeting.agents) for note in _notes(seat)]
    if notes:
        parts += [Text(""), *(_indented(note) for note in notes)]
    return Group(*parts)


@dataclass(frozen=True, slots=True)
class _Boards:
    meetings: Sequence[MeetingStatus]
    hyperlinks: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, meeting in enumerate(self.meetings):
            if number:
                yield Text("")
            yield render(meeting, options.max_width, hyperlinks=self.hyperlinks)


def _title(meeting: MeetingStatus) -> Text:
    title = Text(meeting.room, style="bold").append("  ").append(_state(meeting.state))
    if meeting.silent_s is not None:
        title.append(f"  for {clock(meeting.silent_s)}, since {local_time(meeting.since)}", style="not bold")
    if meeting.uptime_s is not None:
        title.append(f"  up {clock(meeting.uptime_s)}", style="dim not bold")
    if meeting.locked:
        title.append("  locked", style="yellow not bold")
    holder = next((agent.name for agent in meeting.agents if agent.identity == meeting.floor), None)
    if holder is not None:
        title.append(f"  floor: {holder}", style="magenta not bold")
    return title


def _service_columns(services: Sequence[SeatStatus]) -> list[Column]:
    return [
        _column("service", 0, services, lambda seat: Text(seat.name)),
        _column("state", 0, services, lambda seat: _state(seat.state)),
        *_process_columns(services),
    ]


def _agent_columns(agents: Sequence[AgentStatus]) -> list[Column]:
    def leg(
        title: str, rank: int, cell: Callable[[LegStatus], Text], *, right: bool = True, short: str | None = None
    ) -> Column:
        return _column(title, rank, agents, lambda agent: _per_leg(agent, cell), right=right, short=short)

    up, restarts, cpu, memory, pid = _process_columns(agents)
    return [
        _column("agent", 0, agents, lambda agent: Text(agent.name)),
        _column("program", 5, agents, lambda agent: Text(agent.program, style="dim")),
        _column("state", 0, agents, lambda agent: _state(agent.state)),
        _column("doing", 1, agents, _doing),
        up,
        restarts,
        _column("leg", 0, agents, lambda agent: _per_leg(agent, None)),
        leg("ice", 0, lambda leg: Text(leg.ice, style=ICE_STYLES.get(leg.ice, "")), right=False),
        leg("video/s", 0, lambda leg: Text(figure(leg.video_fps)), short="vid/s"),
        leg("audio/s", 0, lambda leg: Text(figure(leg.audio_fps)), short="aud/s"),
        leg("size", 7, lambda leg: Text(f"{leg.width}x{leg.height}" if leg.width and leg.height else MISSING)),
        leg("kbit/s", 8, lambda leg: Text(figure(leg.kbps, 0))),
        leg("loss%", 9, lambda leg: Text(figure(None if leg.loss is None else leg.loss * 100))),
        leg("rtt ms", 10, lambda leg: Text(figure(leg.rtt_ms))),
        _column("a/v ms", 6, agents, lambda agent: Text(figure(agent.av_offset_ms, 0)), right=True),
        cpu,
        memory,
        pid,
    ]


def _process_columns(seats: Sequence[SeatStatus]) -> list[Column]:
    return [
        _column("up", 2, seats, lambda seat: Text(clock(seat.uptime_s)), right=True),
        _column("restarts", 3, seats, _restarts, right=True, short="rst"),
        _column("cpu%", 4, seats, lambda seat: Text(figure(seat.cpu_percent, 0)), right=True),
        _column("MB", 4, seats, lambda seat: Text(figure(seat.memory_mb, 0)), right=True),
        _column("pid", 11, seats, lambda seat: Text(str(seat.pid or MISSING), style="dim"), right=True),
    ]


def _column(
    title: str,
    rank: int,
    seats: Iterable[S],
    cell: Callable[[S], Text],
    *,
    right: bool = False,
    short: str | None = None,
) -> Column:
    return Column(title, rank, tuple(cell(seat) for seat in seats), right, short)


def _per_leg(agent: AgentStatus, cell: Callable[[LegStatus], Text] | None) -> Text:
    """Returns a line for each leg; its name where no cell is asked for."""
    lines = [Text(name, style="dim") if cell is None else cell(agent.legs[name]) for name in LEGS if name in agent.legs]
    return Text("\n").join(lines or [Text(MISSING, style="dim")])


def _state(state: str) -> Text:
    return Text(state, style=STATE_STYLES.get(state, ""))


def _doing(agent: AgentStatus) -> Text:
    if agent.muted:
        return Text("muted", style="yellow")
    return Text(agent.agent_state or MISSING, style=SPEECH_STYLES.get(agent.agent_state or "", ""))


def _restarts(seat: SeatStatus) -> Text:
    return Text(str(seat.restarts), style="yellow" if seat.restarts else "")


def _notes(seat: SeatStatus) -> Iterable[Text]:
    for trouble in troubles(seat):
        note = Text(f"{seat.name}: ", style="bold").append(
            f"last error: {trouble.text}" if trouble.past else trouble.text, style=f"{trouble.style} not bold"
        )
        if trouble.when:
            note.append(f" ({trouble.when})", style="dim not bold")
        yield _with_hint(note, trouble.hint)


def _with_hint(note: Text, hint: str | None) -> Text:
    return note.append(f" → {hint}", style="dim not bold") if hint else note


def _fits(link: str, width: int) -> bool:
    return len(JOIN) + len(link) <= width


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)
