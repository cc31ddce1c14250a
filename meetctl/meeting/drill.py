"""Injects a fault into one of the meeting's own processes and tells what broke and how long each repair took.

The supervisor itself sends the signal, to a process that it started and knows by pid and start time; nothing beyond
this machine and this meeting is touched. What was stopped is always let go on, however the drill ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from meetctl.errors import ConflictError
from meetctl.meeting.meeting import Meeting
from meetctl.meeting.seats import LIVEKIT_SEAT, MODELS_SEAT
from meetctl.status.event_objects import MeetingEvent
from meetctl.status.people import PeopleEvent
from meetctl.supervisor.feed import Dropped
from meetctl.supervisor.launcher import ProcessId
from meetctl.supervisor.repairs import Break, Repairs, begin, is_over, observe
from meetctl.supervisor.state import MeetingState, apply
from meetctl.supervisor.tasks import begun

SCHEMA_VERSION = 1
LOOK_S = 0.25
"""Between two looks when nothing happens: silence is no event."""


class DrillFault(StrEnum):
    KILL = "kill"
    STALL = "stall"
    SERVER = "server"
    MODELS = "models"


TARGETS = {DrillFault.SERVER: LIVEKIT_SEAT, DrillFault.MODELS: MODELS_SEAT}
"""The faults that say by their name whom they hit."""
SETTLE_S = {DrillFault.KILL: 2.0, DrillFault.STALL: 3.0, DrillFault.SERVER: 8.0, DrillFault.MODELS: 3.0}
"""How long nothing may be broken before it is believed. A client notices only after seconds that its server is gone."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What is to be done, and how long it may take."""

    fault: DrillFault
    seat: str
    stall_s: float
    bound_s: float

    @property
    def stopped_s(self) -> float:
        """How long the process is held up; 0 = it is killed."""
        return self.stall_s if self.fault is DrillFault.STALL else 0.0


async def carry_out(meeting: Meeting, drill: Drill) -> AsyncGenerator[dict[str, Any], None]:
    """Injects the fault and yields what it breaks, what is repaired, and at the end the whole result.

    Raises:
        ConflictError: if the seat is not well: nothing could be learnt.
    """
    number = signal.SIGSTOP if drill.stopped_s else signal.SIGKILL
    async with contextlib.AsyncExitStack() as looking:
        events = looking.enter_context(meeting.event_stream.reading())
        state, began = meeting.supervisor.state, time.monotonic()
        repairs = begin(state, began)
        if drill.seat not in repairs.watched:
            raise ConflictError(
                f"{drill.seat} is not well already, so a drill could show nothing",
                hint=f"meetctl status {meeting.roster.room}",
            )
        with _hit(meeting, drill, number) as hit:
            yield _item("began", fault=drill.fault, seat=drill.seat, pid=hit.pid, signal=number.name)
            released = not drill.stopped_s
            states = await looking.enter_async_context(contextlib.aclosing(_states(events, state, meeting)))
            async for state, now in states:
                if not released and now - began >= drill.stopped_s:
                    released = True
                    meeting.supervisor.signal(drill.seat, signal.SIGCONT, only=hit)
                    yield _item("released", after_s=_s(now - began))
                before, repairs = repairs, observe(repairs, state, now)
                for item in _changes(before, repairs):
                    yield item
                settle_s, over_at = SETTLE_S[drill.fault], began + drill.stopped_s
                if is_over(repairs, now, not_before=over_at, settle_s=settle_s, bound_s=drill.bound_s):
                    break
    yield _result(meeting.roster.room, drill, repairs, hit.pid, time.monotonic())


@contextlib.contextmanager
def _hit(meeting: Meeting, drill: Drill, number: signal.Signals) -> Iterator[ProcessId]:
    """Sends the signal; what it stopped goes on at the latest when the block ends."""
    hit = meeting.supervisor.signal(drill.seat, number)
    if hit is None:
        raise ConflictError(f"{drill.seat} has no process", hint=f"meetctl status {meeting.roster.room}")
    try:
        yield hit
    finally:
        meeting.supervisor.signal(drill.seat, signal.SIGCONT, only=hit)


async def _states(
    events: AsyncIterator[MeetingEvent | Dropped], state: MeetingState, meeting: Meeting
) -> AsyncGenerator[tuple[MeetingState, float], None]:
    """Yields the state after every event with the event's own time, and now and then when there is none."""
    coming: asyncio.Future[MeetingEvent | Dropped] | None = None
    try:
        while True:
            coming = coming or begun(anext(events))
            await asyncio.wait({coming}, timeout=LOOK_S)
            if not coming.done():
                yield state, time.monotonic()
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return  # the meeting ends
            coming = None
            if isinstance(event, Dropped):
                state = meeting.supervisor.state
                continue
            if isinstance(event, PeopleEvent):
                continue
            state = apply(state, event)
            yield state, event.at
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def _changes(before: Repairs, after: Repairs) -> Iterator[dict[str, Any]]:
    known = before.breaks or {}
    for key, found in (after.breaks or {}).items():
        old = known.get(key)
        if found.repaired_at is None and (old is None or old.repaired_at is not None):
            yield _item("broke", **_row(found, after.began_at))
        elif found.repaired_at is not None and old is not None and old.repaired_at is None:
            yield _item("repaired", **_row(found, after.began_at))


def _result(room: str, drill: Drill, repairs: Repairs, pid: int, now: float) -> dict[str, Any]:
    return _item(
        "result",
        schema_version=SCHEMA_VERSION,
        room=room,
        fault=drill.fault,
        seat=drill.seat,
        pid=pid,
        stalled_s=drill.stopped_s or None,
        seconds=_s(now - repairs.began_at),
        repaired=not repairs.broken,
        breaks=[_row(found, repairs.began_at) for found in (repairs.breaks or {}).values()],
    )


def _row(found: Break, began_at: float) -> dict[str, Any]:
    return {
        "seat": found.seat,
        "name": found.name,
        "what": found.what,
        "broke_after_s": _s(found.broke_at - began_at),
        "back_after_s": None if found.repaired_at is None else _s(found.repaired_at - began_at),
        "repair_s": None if found.repaired_at is None else _s(found.repaired_at - found.broke_at),
    }


def _item(kind: str, **values: Any) -> dict[str, Any]:
    return {"kind": kind, **values}


def _s(seconds: float) -> float:
    return round(max(0.0, seconds), 2)
