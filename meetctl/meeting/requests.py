"""What other commands may ask of a running meeting over its control socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict
from typing import Any

from meetctl.errors import AgentFailed, ConflictError, TimedOutError, UsageError
from meetctl.meeting.admission import PERSON_TTL
from meetctl.meeting.asked import (
    AgentAsked,
    DecideAsked,
    DirectAsked,
    DownAsked,
    DrillAsked,
    JoinAsked,
    LinkAsked,
    ManageAsked,
    ReconcileAsked,
    WaitAsked,
    asked,
)
from meetctl.meeting.changes import STOP_S
from meetctl.meeting.drill import TARGETS, Drill, carry_out
from meetctl.meeting.meeting import Meeting
from meetctl.protocol.names import MAX_NAME_CHARACTERS, is_reserved, reads_as
from meetctl.rooms import TOKEN_TTL
from meetctl.roster import AgentEntry, keep, load_roster, load_variables
from meetctl.settings import environment
from meetctl.supervisor.control import Handler, Request, Stream
from meetctl.supervisor.seat import with_last_lines
from meetctl.supervisor.state import MeetingState
from meetctl.web.direction import Directive
from meetctl.web.invites import Comer, Role
from meetctl.web.people import Manage


def handlers(meeting: Meeting) -> Mapping[str, Handler]:
    """Returns the requests a running meeting answers, by their `do`."""
    changing = asyncio.Lock()
    """Held while seats come, go or change: two commands at once are carried out one after the other."""

    async def status(_: Request) -> Mapping[str, Any]:
        return meeting.status().model_dump(mode="json")

    async def link(request: Request) -> Mapping[str, Any]:
        wanted = asked(LinkAsked, request)
        role = wanted.role or (Role.HOST if wanted.host else Role.GUEST)
        door = meeting.front_door
        if wanted.revoke is not None:
            new = door.revoke(wanted.revoke)
            return {"revoked": wanted.revoke, "join_link": new}
        if wanted.personal is not None:
            link = door.personal_link(wanted.personal, role, expires_s=wanted.expires_s, once=wanted.once)
        else:
            link = door.link(role)
        answer: dict[str, Any] = {"join_link": link}
        if wanted.name is not None:
            ttl = TOKEN_TTL if wanted.lasting else PERSON_TTL
            details = await door.admission.admit(wanted.name, Comer(role), ttl=ttl)
            answer |= {
                "livekit_url": details.livekit_url,
                "token": details.token.get_secret_value(),
                "identity": details.identity,
                "name": details.name,
            }
        return answer

    async def down(request: Request) -> Mapping[str, Any]:
        timeout_s = asked(DownAsked, request).timeout_s
        return (await meeting.end(timeout_s=STOP_S if timeout_s is None else timeout_s)).as_dict()

    async def join(request: Request) -> Mapping[str, Any]:
        wanted = asked(JoinAsked, request)
        async with changing:
            entry = _entry(meeting, wanted)
            await meeting.changes.add(entry)
            meeting.cast.joined.add(entry.identity)
        return {"identity": entry.identity, "name": entry.name, "program": entry.program.value}

    async def leave(request: Request) -> Mapping[str, Any]:
        wanted = asked(AgentAsked, request)
        async with changing:
            entry = meeting.cast.entries[_seat(meeting, wanted.agent, services=False)]
            await meeting.changes.remove(entry.identity)
        return {"identity": entry.identity, "name": entry.name, "program": entry.program.value}

    async def restart(request: Request) -> Mapping[str, Any]:
        wanted = asked(AgentAsked, request)
        async with changing:
            seat = meeting.supervisor.state.seats[_seat(meeting, wanted.agent, services=True)]
            await meeting.changes.restart(seat.seat)
        return {"identity": seat.seat, "name": seat.name, "program": seat.program}

    async def reconcile(request: Request) -> Mapping[str, Any]:
        wanted = asked(ReconcileAsked, request)
        if wanted.dry_run:
            return meeting.changes.plan(wanted.roster).as_dict()
        async with changing:
            return (await meeting.changes.reconcile(wanted.roster)).as_dict()

    async def direct(request: Request) -> Mapping[str, Any]:
        wanted = asked(DirectAsked, request)
        if wanted.directive in (Directive.MUTE, Directive.UNMUTE) and not meeting.direction.knows(wanted.agent):
            people = meeting.front_door.people
            if wanted.directive is Directive.MUTE:
                muted = await people.mute(wanted.agent)
                if muted is not None:
                    return {"do": Manage.MUTE.value, **muted, "is_person": True}
            else:
                asked_person = await people.ask_to_unmute(wanted.agent)
                if asked_person is not None:
                    return {"do": Manage.ASK_UNMUTE.value, **asked_person, "is_person": True}
        return await meeting.direction.direct(wanted.directive, wanted.agent, wanted.text)

    async def manage(request: Request) -> Mapping[str, Any]:
        wanted = asked(ManageAsked, request)
        done = await meeting.front_door.people.manage(wanted.action, wanted.person)
        return {**done, "own_server": meeting.roster.livekit is None}

    async def waiting(_: Request) -> Mapping[str, Any]:
        return {"requests": meeting.host_requests.view()}

    async def decide(request: Request) -> Mapping[str, Any]:
        wanted = asked(DecideAsked, request)
        decided = await meeting.host_requests.decide(wanted.id, allowed=wanted.allowed, by=wanted.by, kind=wanted.kind)
        return {"allowed": wanted.allowed, "request": asdict(decided)}

    async def where(_: Request) -> Mapping[str, Any]:
        return {
            "room": meeting.roster.room,
            "join_link": meeting.join_link,
            "log_dir": str(meeting.log_dir),
            "seats": {seat.seat: seat.name for seat in meeting.supervisor.state.seats.values()},
        }

    async def wait(request: Request) -> Mapping[str, Any]:
        wanted = asked(WaitAsked, request)
        await wait_until_ready(meeting, wanted.seats, wanted.timeout_s)
        return meeting.status().model_dump(mode="json")

    return {
        "status": status,
        "link": link,
        "down": down,
        "join": join,
        "leave": leave,
        "restart": restart,
        "reconcile": reconcile,
        "direct": direct,
        "manage": manage,
        "waiting": waiting,
        "decide": decide,
        "where": where,
        "wait": wait,
    }


def streams(meeting: Meeting) -> Mapping[str, Stream]:
    """Returns the requests that a running meeting answers by a stream."""

    def events(_: Request) -> AsyncGenerator[Mapping[str, Any], None]:
        return meeting.event_stream.stream()

    drilling = asyncio.Lock()

    async def drill(request: Request) -> AsyncGenerator[Mapping[str, Any], None]:
        if drilling.locked():
            raise ConflictError("a drill is under way already", hint="wait until it has ended")
        wanted = _drill(meeting, asked(DrillAsked, request))
        async with drilling, contextlib.aclosing(carry_out(meeting, wanted)) as items:
            async for item in items:
                yield item

    return {"events": events, "drill": drill}


async def wait_until_ready(
    meeting: Meeting, seats: list[str] | None, timeout_s: float, *, stays_up: bool = True
) -> None:
    """Waits until these seats, or all agents, are ready, and with them the local servers that they lean on.

    Args:
        stays_up: whether the meeting goes on if they are not.

    Raises:
        AgentFailed: as soon as one is fatal, or was told to leave.
        TimedOutError: naming what each of them still lacks.
    """

    def wanted() -> list[str]:
        return [*(meeting.cast.entries if seats is None else seats), *meeting.stand_in_seats]

    def is_hopeless(state: MeetingState, key: str) -> bool:
        return key not in state.seats or state.seats[key].state == "fatal"

    try:
        async with asyncio.timeout(timeout_s):
            state = await meeting.supervisor.wait_until(
                lambda state: (
                    any(is_hopeless(state, key) for key in wanted()) or all(state.seats[key].ready for key in wanted())
                )
            )
    except TimeoutError:
        state = meeting.supervisor.state
        said = meeting.supervisor.last_errors()
        lacking = [
            with_last_lines(
                f"{state.seats[key].name} lacks {', '.join(sorted(state.seats[key].missing))}", said.get(key, ())
            )
            for key in wanted()
            if not state.seats[key].ready
        ]
        late = f"not ready within {timeout_s:.0f} s: {'; '.join(lacking)}"
        if not stays_up:
            raise TimedOutError(f"{late}. The meeting was ended", hint=f"read {meeting.log_dir}") from None
        raise TimedOutError(
            f"{late}. The meeting is still up",
            hint=f"meetctl status {meeting.roster.room}, or meetctl down {meeting.roster.room}",
        ) from None
    for key in wanted():
        if key not in state.seats:
            raise AgentFailed(f"{key} left meanwhile", hint=f"meetctl status {meeting.roster.room}")
        seat = state.seats[key]
        if seat.state == "fatal":
            raise AgentFailed(f"{seat.name} is fatal: {seat.last_error}", hint=seat.hint)


def _seat(meeting: Meeting, word: str, *, services: bool) -> str:
    """Returns the seat of that identity or name, case aside.

    Raises:
        UsageError: naming those that there are.
    """
    seats = {
        key: seat.name
        for key, seat in meeting.supervisor.state.seats.items()
        if services or key in meeting.cast.entries
    }
    for key, name in seats.items():
        if word.casefold() in (key.casefold(), name.casefold()):
            return key
    what = "agent or service" if services else "agent"
    raise UsageError(
        f"no {what} of {meeting.roster.room} is named {word!r}; there is {', '.join(seats.values()) or 'none'}",
        hint=f"meetctl status {meeting.roster.room}",
    )


def _drill(meeting: Meeting, wanted: DrillAsked) -> Drill:
    """Returns what a `drill` asks for.

    Raises:
        UsageError: if nobody of that name is there.
        ConflictError: if the meeting has no such process of its own.
    """
    seat = TARGETS.get(wanted.fault)
    if seat is not None and seat not in meeting.supervisor.state.seats:
        raise ConflictError(
            f"{meeting.roster.room} runs no {seat} of its own; a drill touches only what meetctl started",
            hint="meetctl drill kill AGENT",
        )
    if seat is None:
        word = wanted.agent or next(iter(meeting.cast.entries), None)
        if word is None:
            raise ConflictError(f"{meeting.roster.room} has no agents", hint="meetctl drill server")
        seat = _seat(meeting, word, services=True)
    return Drill(wanted.fault, seat, stall_s=wanted.stall_s, bound_s=wanted.bound_s)


def _entry(meeting: Meeting, wanted: JoinAsked) -> AgentEntry:
    """Returns the entry that a `join` asks for.

    Raises:
        UsageError: if the roster has no entry of that name.
        ConflictError: if its name or identity is taken.
    """
    if wanted.entry is not None:
        entry = wanted.entry
        if wanted.default_models:
            if meeting.roster.llm is None or meeting.roster.tts is None:
                raise UsageError(
                    f"the defaults of {meeting.roster.file} name a model whose key was not set when the meeting began",
                    hint="give the agent in a YAML file with an llm and a tts of its own: --agent FILE",
                )
            llm, tts = meeting.roster.llm, meeting.roster.tts
            entry = entry.model_copy(update={"llm": llm, "tts": None if llm.realtime else tts})
    else:
        # Read anew: the entry may have been left out by --only, or added to the file since.
        keep(meeting.roster.streams)
        variables = load_variables(meeting.roster.file, meeting.roster.env_file, environment())
        entry = load_roster(meeting.roster.file, environment=variables, only=[wanted.name or ""]).agents[0]
    taken = meeting.cast.taken()
    if len(entry.name) > MAX_NAME_CHARACTERS:
        raise UsageError(f"a name has at most {MAX_NAME_CHARACTERS} characters", hint="--name Ada")
    if is_reserved(entry.name):
        raise UsageError(
            f"{entry.name!r} is a name by which the meeting itself speaks", hint="give another one: --name NAME"
        )
    if entry.identity in taken or reads_as(entry.name) in set(map(reads_as, taken)):
        raise ConflictError(
            f"{entry.name} (identity {entry.identity}) is in the meeting already", hint="give another one: --name NAME"
        )
    return entry
