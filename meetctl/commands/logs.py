"""`meetctl logs`: what agents and services wrote, merged by time, of a meeting that runs or is over."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from meetctl.commands._records import Records, find_records
from meetctl.display import console
from meetctl.display.log_lines import LogLines
from meetctl.errors import UsageError
from meetctl.settings import slug
from meetctl.supervisor.log_reading import LogLine, SeatLogs, seats_in

POLL_S = 0.2
"""Fast enough for the eye; each look asks the kernel for a few files' status."""

_AGO = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def logs(agents: Sequence[str], *, room: str | None, follow: bool, lines: int | None, since: str | None) -> None:
    """Prints the logs of these seats, or of all; with `follow` goes on until the meeting ends."""
    earliest = parse_since(since, datetime.now(UTC)) if since is not None else None
    records = find_records(room)
    seats = [_seat(word, records) for word in agents] or None
    shown = LogLines(seats or seats_in(records.directory), colours=console.has_colours())
    with SeatLogs(records.directory, seats) as source:
        _print(wanted(source.read(), earliest, lines), shown)
        while follow and records.is_running:
            time.sleep(POLL_S)
            _print(source.read(), shown)
        _print(source.read() if follow else (), shown)


def wanted(lines: Sequence[LogLine], earliest: datetime | None, number: int | None) -> Sequence[LogLine]:
    """Returns the last so many of the lines from that moment on."""
    if earliest is not None:
        lines = [line for line in lines if line.at >= earliest]
    return lines if number is None else lines[max(0, len(lines) - number) :]


def parse_since(text: str, now: datetime) -> datetime:
    """Returns the moment meant by `90s`, `5m`, `1h30m`, `2d`, `14:05`, or an ISO date and time; local where not said.

    Raises:
        UsageError: if it is none of these.
    """
    match = _AGO.fullmatch(text.strip())
    if match is not None and any(match.groups()):
        days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
        return now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    today = now.astimezone().date().isoformat()
    for candidate in (text.strip(), f"{today}T{text.strip()}"):
        try:
            return datetime.fromisoformat(candidate).astimezone(UTC)
        except ValueError:
            continue
    raise UsageError(f"{text!r} is no time", hint="--since 5m, --since 14:05 or --since 2026-01-31T14:05:00Z")


def _seat(word: str, records: Records) -> str:
    """Returns the seat of that identity or name.

    Raises:
        UsageError: naming those that have a log.
    """
    there = seats_in(records.directory)
    names = {name.casefold(): seat for seat, name in records.names.items()}
    names |= {seat.casefold(): seat for seat in there}
    for candidate in (word.casefold(), slug(word)):
        if candidate in names:
            return names[candidate]
    raise UsageError(
        f"{records.room} has no log of {word!r}; there is {', '.join(there) or 'none'}", hint="meetctl logs"
    )


def _print(lines: Iterable[LogLine], shown: LogLines) -> None:
    for line in lines:
        console.print_data(shown.line(line.at, line.seat, line.text))
