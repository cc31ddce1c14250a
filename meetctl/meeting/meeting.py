"""One meeting from its first process to the proof that nothing is left. An async context manager.

It puts the parts together and owns the order: lock, LiveKit server, room, page, stand-ins, chair, agents; and the way
back. What a part does is the part's own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from meetctl import rooms
from meetctl.display.json import meeting_document
from meetctl.errors import LiveKitError, StandInError, TimedOutError
from meetctl.local import livekit as local_livekit
from meetctl.local.ports import free_tcp_port
from meetctl.meeting.ending import Ending
from meetctl.meeting.sampling import sample_forever
from meetctl.meeting.seats import (
    LIVEKIT_SEAT,
    MODELS_SEAT,
    SIMLI_SEAT,
    agent_seat,
    chair_seat,
    livekit_seat,
    stand_in_seat,
)
from meetctl.meeting.transcript import Transcript
from meetctl.programs import (
    CHAIR_IDENTITY,
    CHAIR_NAME,
    PRELOADER,
    Place,
    StandIns,
    agent_assignment,
    agent_environment,
    cast_member,
    chair_assignment,
    service_environment,
)
from meetctl.protocol import CastChanged, CastMember, Model, Utterance
from meetctl.roster import AgentEntry, Program, Roster, secrets_of, secrets_of_entry
from meetctl.settings import LiveKitCredentials, slug
from meetctl.supervisor.events import GaveUp, Said, SeatEvent
from meetctl.supervisor.forking import ForkLauncher, can_fork
from meetctl.supervisor.launcher import ExecLauncher, Launcher
from meetctl.supervisor.logs import Masker
from meetctl.supervisor.registry import MeetingFiles, MeetingNote, hold
from meetctl.supervisor.state import SeatState
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.sweep import MEETING_VARIABLE, remaining
from meetctl.web.invites import ConnectionDetails, Invites, Role
from meetctl.web.server import PageServer

SERVER_READY_S = 20.0
"""livekit-server answers in 0.3 s on an idle machine; a loaded one may take many times that."""
STAND_IN_READY_S = 120.0
"""The model server loads 260 MB of models and warms them up: 2 s idle, much more on a cold disk under load."""
SPARE_SLOTS = 2
"""Conversations the model server can keep beyond the roster's agents, for those that join later."""
STOP_S = 10.0
"""One deadline for everybody to leave."""


class Meeting:
    """Runs the roster's meeting while entered.

    Args:
        roster: validated.
        server_binary: the local livekit-server; None where the roster names a server.
        runtime_dir: where lock, note and control socket go.
        log_dir: this meeting's own directory for logs and transcript.
    """

    join_link: str

    def __init__(self, roster: Roster, *, server_binary: Path | None, runtime_dir: Path, log_dir: Path) -> None:
        self.roster = roster
        self.log_dir = log_dir
        self.files = MeetingFiles.of(runtime_dir, roster.room)
        self.id = f"{roster.room}-{secrets.token_hex(6)}"
        self.ended = asyncio.Event()
        self._mark = {MEETING_VARIABLE: self.id}
        self._server_binary = server_binary
        self._mask = Masker(secrets_of(roster))
        self.entries: dict[str, AgentEntry] = {entry.identity: entry for entry in roster.agents}
        self._seat_numbers: dict[str, int] = {}
        self._invites = Invites.create()
        self._transcript = Transcript(log_dir / "transcript.jsonl")
        self._stack = contextlib.AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stand_ins = StandIns(None, None)
        self._own_room = False
        self._page: PageServer | None = None
        self._ending: asyncio.Task[Ending] | None = None
        self._chair_identity = CHAIR_IDENTITY
        self._own_chair = True
        self.started_at = time.monotonic()

    async def __aenter__(self) -> Meeting:
        me = psutil.Process()
        note = MeetingNote(self.roster.room, self.id, me.pid, me.create_time())
        try:
            self._stack.enter_context(hold(self.files, note))
            self._stack.callback(self._transcript.close)
            self.supervisor = await self._stack.enter_async_context(
                Supervisor(
                    meeting=self.id,
                    room=self.roster.room,
                    log_dir=self.log_dir,
                    mask=self._mask,
                    files=(self.files.livekit_config, self.files.socket, self.files.note),
                    stop_timeout_s=STOP_S,
                    launcher=self._launcher,
                )
            )
            self.supervisor.listen(self._on_event)
            self._start_stand_ins()
            self._credentials = await self._livekit()
            self._rooms = await self._stack.enter_async_context(rooms.Rooms(self._credentials))
            self._own_room = await self._rooms.create(self.roster.room)
            self._stack.push_async_callback(self._end_on_the_way_out)
            if not self._own_room:
                await self._find_chair()
            self._page = await self._stack.enter_async_context(
                PageServer(
                    room=self.roster.room,
                    livekit_url=self._credentials.url,
                    invites=self._invites,
                    admit=self.admit,
                    info=self._info,
                )
            )
            self.join_link = self._page.join_link(Role.GUEST)
            self._mask.add(*(self._invites.of(role).get_secret_value() for role in Role))
            if self._own_chair:
                self.supervisor.add(chair_seat(self._chair_assignment, self._mark))
            for entry in self.roster.agents:
                self._seat(entry)
            self._own(sample_forever(self.supervisor))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._stack.aclose()
        finally:
            self.ended.set()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what others ask of a running meeting ---

    def document(self) -> dict[str, Any]:
        """Returns this meeting's part of `status --json`."""
        return meeting_document(
            self.supervisor.state,
            now=time.monotonic(),
            pid=os.getpid(),
            join_link=self.join_link,
            livekit_url=self._credentials.url,
            uptime_s=time.monotonic() - self.started_at,
        )

    def link(self, role: Role) -> str:
        """Returns the join link of that role."""
        assert self._page is not None
        return self._page.join_link(role)

    async def admit(self, name: str, role: Role) -> ConnectionDetails:
        """Returns what a person needs to join; each call makes a participant of its own."""
        identity = f"{slug(name) or 'guest'}-{secrets.token_hex(3)}"
        token = rooms.guest_token(self._credentials, room=self.roster.room, identity=identity, name=name)
        return ConnectionDetails(self._credentials.url, token, identity, name, self.roster.room)

    def known_entries(self) -> tuple[AgentEntry, ...]:
        """Returns the roster's entries, seated or not."""
        return self.roster.agents

    def taken(self) -> set[str]:
        """Returns the identities and lower-case names in use by agents."""
        return {CHAIR_IDENTITY, *self.entries, *(entry.name.lower() for entry in self.entries.values())}

    async def add(self, entry: AgentEntry) -> None:
        """Gives a new agent a seat."""
        self._mask.add(*secrets_of_entry(entry))
        self.entries[entry.identity] = entry
        self._start_stand_ins(entry)
        self._seat(entry)
        await self._tell_cast()

    async def end(self, *, timeout_s: float = STOP_S) -> Ending:
        """Ends the meeting, once, whoever asks and however often; returns the proof."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(timeout_s))
        return await asyncio.shield(self._ending)

    def force(self) -> None:
        """Kills every child now; an `end` that is under way goes on to its proof."""
        self.supervisor.kill_all()

    # --- starting ---

    def _launcher(self, started: Callable[[int], None]) -> Launcher:
        return ForkLauncher(PRELOADER, service_environment(self._mark), started) if can_fork() else ExecLauncher()

    def _start_stand_ins(self, *more: AgentEntry) -> None:
        entries = (*self.roster.agents, *more)
        roster = self.roster.model_copy(update={"agents": entries})
        if roster.needs_local_models and self._stand_ins.models_url is None:
            port = free_tcp_port()
            slots = str(len(entries) + SPARE_SLOTS)
            arguments = ("--port", str(port), "--slots", slots, "--watch-stdin")
            self.supervisor.add(stand_in_seat(MODELS_SEAT, "meetctl.local.models", arguments, self._mark))
            self._stand_ins = StandIns(f"http://127.0.0.1:{port}", self._stand_ins.simli_url)
        if roster.needs_local_simli and self._stand_ins.simli_url is None:
            port = free_tcp_port()
            seat = stand_in_seat(SIMLI_SEAT, "meetctl.local.simli", ("--port", str(port), "--watch-stdin"), self._mark)
            self.supervisor.add(seat)
            self._stand_ins = StandIns(self._stand_ins.models_url, f"http://127.0.0.1:{port}")

    async def _livekit(self) -> LiveKitCredentials:
        if self.roster.livekit is not None:
            return self.roster.livekit
        assert self._server_binary is not None
        config = local_livekit.new_server_config()
        self._mask.add(config.api_secret.get_secret_value())
        local_livekit.write_config(config, self.files.livekit_config)
        log = self.log_dir / f"{LIVEKIT_SEAT}.log"
        self.supervisor.add(livekit_seat(self._server_binary, self.files.livekit_config, config.url, log, self._mark))
        await self._wait_ready(LIVEKIT_SEAT, SERVER_READY_S)
        return config.credentials

    async def _find_chair(self) -> None:
        """In somebody else's room there may be a chair already; then ours would be one too many."""
        for participant in await self._rooms.participants(self.roster.room):
            if participant.role == "chair" and participant.kind is rooms.ParticipantKind.AGENT:
                self._chair_identity = participant.identity
                self._own_chair = False

    def _seat(self, entry: AgentEntry) -> None:
        self._seat_numbers.setdefault(entry.identity, len(self._seat_numbers))
        self.supervisor.add(
            agent_seat(
                entry,
                self.roster.room,
                environment=lambda: agent_environment(entry, self._place(entry), self._mark, self._credentials),
                assignment=lambda: self._assignment(entry),
                is_active=lambda: self._is_active(entry.identity),
                own_chair=self._own_chair,
            )
        )

    def _place(self, entry: AgentEntry) -> Place:
        token = rooms.agent_token(self._credentials, room=self.roster.room, identity=entry.identity, name=entry.name)
        self._mask.add(token.get_secret_value())
        return Place(
            self.roster.room,
            self._credentials.url,
            token,
            self._chair_identity,
            self.roster.topic,
            register_with_chair=not self._own_chair,
        )

    async def _assignment(self, entry: AgentEntry) -> Model:
        await self._wait_stand_ins()
        return agent_assignment(
            entry,
            self._place(entry),
            self._stand_ins,
            seat_number=self._seat_numbers[entry.identity],
            transcript=self._transcript.lines(),
            cast=self._cast(),
        )

    async def _chair_assignment(self) -> Model:
        await self._wait_stand_ins()
        token = rooms.chair_token(self._credentials, room=self.roster.room, identity=CHAIR_IDENTITY, name=CHAIR_NAME)
        place = Place(self.roster.room, self._credentials.url, token, CHAIR_IDENTITY, self.roster.topic)
        return chair_assignment(
            self.roster, place, self._stand_ins, transcript=self._transcript.lines(), cast=self._cast()
        )

    async def _wait_stand_ins(self) -> None:
        if self._stand_ins.models_url is not None:
            await self._wait_ready(MODELS_SEAT, STAND_IN_READY_S)
        if self._stand_ins.simli_url is not None:
            await self._wait_ready(SIMLI_SEAT, STAND_IN_READY_S)

    async def _wait_ready(self, key: str, timeout_s: float) -> None:
        """Waits for a seat.

        Raises:
            StandInError: if it is fatal, with its own last words.
            TimedOutError: naming the seat and its log.
        """
        try:
            async with asyncio.timeout(timeout_s):
                state = await self.supervisor.wait_until(lambda state: _settled(state.seats[key]))
        except TimeoutError:
            raise TimedOutError(
                f"{key} was not ready within {timeout_s:.0f} s", hint=f"read {self.log_dir / key}.log"
            ) from None
        seat = state.seats[key]
        if not seat.ready:
            raise StandInError(f"{key} did not start: {seat.last_error}", hint=seat.hint)

    # --- while it runs ---

    def _on_event(self, event: SeatEvent) -> None:
        match event:
            case Said(event=Utterance(line=line)):
                self._transcript.add(line)
            case GaveUp(seat=seat) if seat in self.entries:
                # It will not come back, so its ghost is not left to haunt the room for twenty seconds.
                self._own(self._remove_participant(seat))
            case _:
                pass

    async def _remove_participant(self, identity: str) -> None:
        with contextlib.suppress(LiveKitError):
            await self._rooms.remove(self.roster.room, identity)

    async def _is_active(self, identity: str) -> bool:
        with contextlib.suppress(LiveKitError):
            found = await self._rooms.participants(self.roster.room)
            return any(participant.identity == identity and participant.active for participant in found)
        return False

    def _cast(self) -> tuple[CastMember, ...]:
        return tuple(cast_member(entry) for entry in self.entries.values())

    async def _tell_cast(self) -> None:
        if self._own_chair:
            await self.supervisor.send(CHAIR_IDENTITY, CastChanged(cast=self._cast()))

    def _info(self) -> dict[str, Any]:
        return {
            "topic": self.roster.topic,
            "agents": [entry.name for entry in self.entries.values()],
            "transcript": self.roster.transcript,
        }

    def _own(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- ending ---

    async def _end_on_the_way_out(self) -> None:
        await self.end()

    async def _end(self, timeout_s: float) -> Ending:
        if self._page is not None:
            self._page.close()
        started = time.monotonic()
        pids = dict(self.supervisor.pids())
        joined = [key for key in (*self.entries, CHAIR_IDENTITY) if key in self.supervisor.state.seats]
        await asyncio.gather(*(self.supervisor.stop(key, timeout_s=timeout_s) for key in joined))
        room = await self._close_room(joined)
        await self.supervisor.stop_all(timeout_s=max(1.0, timeout_s - (time.monotonic() - started)))
        left = await asyncio.to_thread(remaining, pids.values(), self.id)
        avatars = [key for key, entry in self.entries.items() if entry.program is Program.SIMLI]
        ending = Ending(
            room=self.roster.room,
            processes_ended=len(pids),
            processes_left=tuple(sorted(left)),
            room_deleted=room,
            own_room=self._own_room,
            avatar_sessions_closed=sum(1 for key in avatars if _left_by_itself(self.supervisor.state.seats[key])),
            avatars_killed=tuple(key for key in avatars if not _left_by_itself(self.supervisor.state.seats[key])),
            seconds=time.monotonic() - started,
        )
        self.ended.set()
        return ending

    async def _close_room(self, joined: list[str]) -> bool:
        """Deletes our own room; in somebody else's, only our own participants go."""
        try:
            if self._own_room:
                await self._rooms.delete(self.roster.room)
                return not await self._rooms.exists(self.roster.room)
            for identity in joined:
                await self._rooms.remove(self.roster.room, identity)
        except LiveKitError:
            # A local server takes its rooms along when it ends; a remote one is reported as not deleted.
            return self.roster.livekit is None
        return False


def _settled(seat: SeatState) -> bool:
    return seat.ready or seat.state in ("fatal", "exited")


def _left_by_itself(seat: SeatState) -> bool:
    return seat.returncode == 0
