"""Figures, times and troubles in words that board and lines share. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from meetctl.status.document import AgentStatus, MeetingStatus, RequestStatus, SeatStatus

MISSING = "–"

_PROOF_WORDS = {
    "ready": "its ready message",
    "audio": "its sound to arrive",
    "video": "its picture to arrive",
    "face": "its face",
    "active": "its arrival in the room",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing about a seat that a person should read."""

    text: str
    style: str
    hint: str | None = None
    past: bool = False
    """It is over; shown because people ask why there was a restart."""
    when: str = ""
    """Of a past error, or one that is repeated: `14:03:05`, or `12 times, last at 14:03:05`."""
    passing: bool = False
    """No trouble yet: on a board it helps, in a log it is noise."""


SLOW_START_S = 5.0
"""A program that starts well is ready before; what it wrote meanwhile would only flicker by."""


def clock(seconds: float | None) -> str:
    """Returns a duration as `42s`, `3:07` or `1:02:03`."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest}s"


def local_time(iso: str | None) -> str:
    """Returns a moment as the machine's own clock shows it: `2026-11-27 14:03:05`."""
    return MISSING if iso is None else datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _time_of_day(iso: str | None) -> str:
    return "" if iso is None else datetime.fromisoformat(iso).astimezone().strftime("%H:%M:%S")


def figure(value: float | None, digits: int = 1) -> str:
    """Returns a number with so many digits; what was not measured is a dash, never zero."""
    return MISSING if value is None else f"{value:.{digits}f}"


def troubles(seat: SeatStatus) -> Iterator[Trouble]:
    """Yields what is wrong with the seat, the gravest first."""
    degraded = seat.degraded_reason if isinstance(seat, AgentStatus) else None
    if degraded is not None:
        yield Trouble(f"degraded: {degraded}", "yellow", seat.hint if seat.last_error == degraded else None)
    if seat.last_error is not None and seat.last_error != degraded:
        past = seat.state in ("running", "degraded", "stalled")
        yield Trouble(
            seat.last_error, "" if past else "red", seat.hint, past=past, when=_time_of_day(seat.last_error_at)
        )
    if seat.warning is not None:
        at = _time_of_day(seat.warning_at)
        often = f"{seat.warning_count} times, last at {at}" if seat.warning_count > 1 and at else at
        yield Trouble(f"warning: {seat.warning}", "yellow", when=often)
    if isinstance(seat, AgentStatus) and seat.transport == "direct" and seat.transport_reason is not None:
        yield Trouble(f"its face is in the room by itself: {seat.transport_reason}", "dim", passing=True)
    if seat.state == "stalled":
        yield Trouble("its media no longer flows", "yellow")
    if seat.state == "starting" and seat.missing:
        awaited = ", ".join(_PROOF_WORDS.get(word, word) for word in seat.missing)
        yield Trouble(f"waits for {awaited}", "dim", passing=True)
    if (seat.state == "starting" and (seat.uptime_s or 0) >= SLOW_START_S) or seat.state in ("backoff", "fatal"):
        for line in seat.last_lines:
            if line not in (seat.last_error or ""):
                yield Trouble(f"wrote: {line}", "dim", passing=True)


def outside(meeting: MeetingStatus) -> list[RequestStatus]:
    """Returns who waits to be let in, who came first at the head."""
    return [request for request in meeting.requests if request.kind == "admission"]


def waits(request: RequestStatus) -> str:
    """Returns how somebody who waits is told of, with what to type."""
    return (
        f"{request.name} waits to be let in, {request.detail}: meetctl admit {request.id}, or meetctl deny {request.id}"
    )
