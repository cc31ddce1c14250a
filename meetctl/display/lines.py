"""One line for each change, where there is no screen to draw on. Pure: two documents in, texts out.

Frame rates and processor time are no changes here, nor is every turn of the talk: those are for the board.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from meetctl.display.words import local_time, outside, troubles, waits
from meetctl.status.build import runs_on
from meetctl.status.document import NOT_ANSWERING, AgentStatus, MeetingStatus, SeatStatus, StatusDocument
from meetctl.supervisor.seat import same_warning


def changes(before: StatusDocument | None, after: StatusDocument) -> list[str]:
    """Returns what is different between two status documents, each line with its room in front."""
    old = {meeting.room: meeting for meeting in (before.meetings if before else ())}
    new = {meeting.room: meeting for meeting in after.meetings}
    lines: list[str] = []
    for room, meeting in new.items():
        lines += [f"{room}: {text}" for text in _meeting_changes(old.get(room), meeting)]
    lines += [f"{room}: gone" for room in old if room not in new]
    return lines


def ending(proof: Mapping[str, Any]) -> list[str]:
    """Returns the proof of `down` in words."""
    room, pids = proof["room"], proof["processes_left"]
    lines = [f"{room}: {_counted(proof['processes_ended'], 'process', 'processes')} ended in {proof['seconds']:.1f} s"]
    if proof.get("reason"):
        lines.insert(0, f"{room}: {proof['reason']}")
    if pids:
        lines.append(f"{room}: still running: pids {', '.join(map(str, pids))}")
    if proof["avatar_sessions_closed"]:
        lines.append(f"{room}: {_counted(proof['avatar_sessions_closed'], 'avatar session', 'avatar sessions')} closed")
    left: Mapping[str, float] = proof.get("avatar_sessions_left", {})
    lines += [f"{room}: {name} was killed" for name in proof["avatars_killed"] if name not in left]
    lines += [f"{room}: {name} was killed; {runs_on(until)}" for name, until in left.items()]
    if proof["own_room"] is None and proof.get("undone"):
        lines.append(f"{room}: a room that it had made was deleted")
    elif proof["own_room"] is None:
        lines.append(f"{room}: a room here ended with its server; a room elsewhere is closed by its own timeout")
    elif not proof["own_room"]:
        lines.append(f"{room}: the room was there before and stays; our agents have left it")
    else:
        lines.append(f"{room}: room deleted" if proof["room_deleted"] else f"{room}: the room could not be deleted")
    return lines


def plan(room: str, todo: Mapping[str, Any]) -> list[str]:
    """Returns what `up` does to a meeting that runs already.

    A line for everything that is touched, and one for what is not; `todo` is the plan of `--json`.
    """
    lines = [f"{room}: ~ {name} of the meeting" for name in todo["settings"]]
    if todo["restarts_chair"]:
        lines.append(f"{room}: ~ Chair: started again")
    lines += [f"{room}: - {_named(agent)}" for agent in todo["removed"]]
    lines += [f"{room}: ~ {_named(agent)}: {', '.join(agent['because'])}" for agent in todo["replaced"]]
    lines += [f"{room}: + {_named(agent)}" for agent in todo["added"]]
    if not lines:
        return [f"{room}: nothing to change"]
    if todo["unchanged"]:
        lines.append(f"{room}: = {', '.join(agent['name'] for agent in todo['unchanged'])} unchanged")
    return lines


def _meeting_changes(before: MeetingStatus | None, after: MeetingStatus) -> Iterator[str]:
    if after.join_link and (before is None or before.join_link != after.join_link):
        yield f"join {after.join_link}"
    old = {_key(seat): seat for seat in (*before.services, *before.agents)} if before else {}
    seats = (*after.services, *after.agents)
    for seat in seats:
        for text in _seat_changes(old.get(_key(seat)), seat):
            yield f"{seat.name}: {text}"
    keys = {_key(seat) for seat in seats}
    for key, seat in old.items():
        if key not in keys:
            yield f"{seat.name}: left"
    yield from _people_changes(before, after)
    if before is None or before.state != after.state:
        yield after.state + (f" since {local_time(after.since)}" if after.since else "")
        if after.state == NOT_ANSWERING and after.error is not None:
            yield after.error.message + (f" → {after.error.hint}" if after.error.hint else "")
    if before is not None and before.floor != after.floor:
        holder = next((agent.name for agent in after.agents if agent.identity == after.floor), after.floor)
        yield f"floor: {holder or 'free'}"


def _people_changes(before: MeetingStatus | None, after: MeetingStatus) -> Iterator[str]:
    old = {person.identity: person for person in before.people} if before else {}
    for person in after.people:
        if person.identity not in old:
            yield f"{person.name} came in" + (f" ({person.role})" if person.role else "")
        elif person.path is not None and old[person.identity].path != person.path:
            yield f"{person.name} is connected by {person.path}"
    here = {person.identity for person in after.people}
    yield from (f"{person.name} left" for identity, person in old.items() if identity not in here)
    known = {request.id for request in before.requests} if before else set()
    yield from (waits(request) for request in outside(after) if request.id not in known)
    if before is not None and before.locked != after.locked:
        yield "locked" if after.locked else "no longer locked"


def _seat_changes(before: SeatStatus | None, after: SeatStatus) -> Iterator[str]:
    if before is None or before.state != after.state:
        yield after.state + (f" (pid {after.pid})" if after.pid is not None else "")
    elif before.pid != after.pid and after.pid is not None:
        yield f"{after.state} again (pid {after.pid})"
    if before is not None and after.restarts > before.restarts:
        yield f"restart {after.restarts}"
    if isinstance(after, AgentStatus):
        if after.muted != (isinstance(before, AgentStatus) and before.muted):
            yield "muted" if after.muted else "no longer muted"
        old_legs = before.legs if isinstance(before, AgentStatus) else {}
        for name, leg in after.legs.items():
            if name not in old_legs or old_legs[name].ice != leg.ice:
                yield f"{name} leg {leg.ice}"
    known = [trouble.text for trouble in troubles(before)] if before else []
    for trouble in troubles(after):
        if not any(same_warning(text, trouble.text) for text in known) and not trouble.passing:
            yield trouble.text + (f" → {trouble.hint}" if trouble.hint else "")


def _key(seat: SeatStatus) -> str:
    return f"agent {seat.identity}" if isinstance(seat, AgentStatus) else f"service {seat.name}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _named(agent: Mapping[str, Any]) -> str:
    return f"{agent['name']} ({agent['program']})"
