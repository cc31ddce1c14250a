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
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from meetctl import rooms
from meetctl.meeting.accounts import Accounts
from meetctl.meeting.address_watch import watch_address
from meetctl.meeting.approvals import Approvals
from meetctl.meeting.cast import Cast
from meetctl.meeting.changes import STOP_S, Changes
from meetctl.meeting.deadlines import Deadlines
from meetctl.meeting.direction import Direction
from meetctl.meeting.ending import Ending
from meetctl.meeting.event_stream import EventStream
from meetctl.meeting.front_door import FrontDoor
from meetctl.meeting.host_requests import HostRequests
from meetctl.meeting.limit_enforcer import LimitEnforcer
from meetctl.meeting.local_servers import LocalServers
from meetctl.meeting.open_room import OpenRoom
from meetctl.meeting.records import mark_begun
from meetctl.meeting.recovery import Recovery
from meetctl.meeting.sampling import sample_forever
from meetctl.meeting.seats import LIVEKIT_SEAT
from meetctl.meeting.transcript import Transcript
from meetctl.meeting.transcript_writer import TranscriptWriter
from meetctl.programs.launch import preloader, service_environment
from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol.proxies import DIRECT, livekit_is_direct
from meetctl.protocol.secrets import Masker
from meetctl.protocol.steps import STEPS
from meetctl.reach.opening import Reach, opened_reach
from meetctl.roster import AdmitMode, Program, Roster, secrets_of
from meetctl.settings import STATE, LiveKitCredentials, environment, private_dir, state_dir
from meetctl.status.build import meeting_status
from meetctl.status.document import MeetingStatus
from meetctl.supervisor.forking import ForkLauncher, can_fork
from meetctl.supervisor.launcher import ExecLauncher, Launcher, process_id
from meetctl.supervisor.logs import ChildLog
from meetctl.supervisor.registry import BEAT_S, MeetingFiles, MeetingNote, beat, hold
from meetctl.supervisor.service_manager import NOBODY, STOPPING, ServiceManager
from meetctl.supervisor.supervisor import Supervisor
from meetctl.supervisor.sweep import MEETING_VARIABLE, remaining
from meetctl.supervisor.tasks import Tasks, begun
from meetctl.supervisor.timeline import SUPERVISOR, timeline

SUPERVISOR_LOG = "supervisor.log"
SERVICES_STOP_S = 1.0
"""The least that is left for the servers when the agents took their time; they have nobody to say goodbye to."""


class Meeting:
    """Runs the roster's meeting while entered.

    Args:
        roster: validated.
        server_binary: the local livekit-server; None where the roster names a server.
        runtime_dir: where lock, note and control socket go.
        log_dir: this meeting's own directory for logs and transcript; made when the lock is held.
        holding: called when it is there, before anything is started.
        manager: told that the meeting is well, and when it ends.
    """

    supervisor: Supervisor
    cast: Cast
    changes: Changes
    direction: Direction
    host_requests: HostRequests
    front_door: FrontDoor

    def __init__(
        self,
        roster: Roster,
        *,
        server_binary: Path | None,
        runtime_dir: Path,
        log_dir: Path,
        holding: Callable[[], object] = lambda: None,
        manager: ServiceManager = NOBODY,
    ) -> None:
        self.roster = roster
        self._manager = manager
        self.log_dir = log_dir
        self._holding = holding
        self.files = MeetingFiles.of(runtime_dir, roster.room)
        self.id = f"{roster.room}-{secrets.token_hex(6)}"
        self.started_at = time.monotonic()
        self.ended = asyncio.Event()
        self._mark = {MEETING_VARIABLE: self.id}
        if roster.livekit is None or livekit_is_direct(roster.livekit.url, environment()):
            self._mark[DIRECT] = "1"
        self._server_binary = server_binary
        self._mask = Masker(secrets_of(roster))
        self.event_stream = EventStream(roster.room, self._mask)
        self._accounts = Accounts()
        self._stack = contextlib.AsyncExitStack()
        self._tasks = Tasks(self.report_bug)
        self._ending: asyncio.Task[Ending] | None = None
        self._reach: Reach | None = None

    async def __aenter__(self) -> Meeting:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._stack.aclose()
        finally:
            self.event_stream.close()
            self.ended.set()

    # --- what others ask of a running meeting ---

    def status(self) -> MeetingStatus:
        """Returns what every screen and `status --json` show of this meeting."""
        now, unix_now = time.monotonic(), time.time()
        return meeting_status(
            self.supervisor.state,
            now=now,
            pid=os.getpid(),
            join_link=self.join_link,
            livekit_url=self._credentials.url,
            uptime_s=now - self.started_at,
            muted=self.direction.muted,
            latencies=self._transcript_writer.latencies,
            unix_now=unix_now,
            last_lines=self.supervisor.last_errors(),
            used=self._accounts.used(),
            avatars_run_on=self._accounts.avatars_run_on(unix_now),
            people=self.front_door.people.people(),
            locked=self.front_door.people.locked,
            requests=self.host_requests.view(),
            transports=self.cast.transports(),
        )

    @property
    def join_link(self) -> str:
        """The guests' link."""
        return self.front_door.link()

    @property
    def stand_in_seats(self) -> list[str]:
        """The seats of the local servers, LiveKit's aside, that the agents lean on."""
        return self._servers.stand_in_seats()

    async def end(self, *, timeout_s: float = STOP_S, reason: str | None = None) -> Ending:
        """Ends the meeting, once, whoever asks and however often; returns the proof.

        Args:
            reason: why, where nobody asked for it.
        """
        if self._ending is None:
            self._ending = begun(self._end(timeout_s, reason), "end")
        return await asyncio.shield(self._ending)

    def report_bug(self, doing: str, error: BaseException) -> None:
        """Writes what nobody foresaw into the supervisor's log."""
        for line in [f"[bug] {doing}", *"".join(traceback.format_exception(error)).splitlines()]:
            self._log.write(line)

    def force(self) -> None:
        """Kills every child now; an `end` that is under way goes on to its proof."""
        self.supervisor.kill_all()

    # --- starting ---

    async def _start(self) -> None:
        enter = self._stack.enter_async_context
        me = process_id(os.getpid())
        note = MeetingNote(self.roster.room, self.id, me.pid, me.start_time, str(self.log_dir))
        self._stack.enter_context(hold(self.files, note))
        # Only now: what two starts at once make, or one that fails, must hide nothing of the meeting that runs or ran.
        private_dir(self.log_dir.parent, STATE)
        self.log_dir.mkdir(mode=0o700, exist_ok=True)
        self._log = ChildLog(self.log_dir / SUPERVISOR_LOG, self._mask)
        self._stack.callback(self._log.close)
        self._holding()
        self._timeline = self._stack.enter_context(timeline())
        STEPS.tell(self._timeline.told_by(SUPERVISOR) if self._timeline is not None else None)
        own_server = self.roster.livekit is None
        self._reach = await enter(opened_reach(self.roster.reach, state_dir(), own_server=own_server))
        supervisor = Supervisor(
            meeting=self.id,
            room=self.roster.room,
            log_dir=self.log_dir,
            mask=self._mask,
            files=(self.files.livekit_config, self.files.socket),
            note=self.files.note,
            stop_timeout_s=STOP_S,
            launcher=self._launcher,
            failed=self.report_bug,
        )
        with STEPS.step("the guard and the prepared process"):
            self.supervisor = await enter(supervisor)
        if self._timeline is not None:
            self.supervisor.listen(self._timeline.observe)
        self.supervisor.listen(self.event_stream.publish)
        self.supervisor.listen(self._accounts.observe)
        tells_steps = self._timeline is not None
        self._servers = LocalServers(self.supervisor, self._mark, self.log_dir, self._mask, tells_steps=tells_steps)
        self.supervisor.listen(self._servers.observe)
        self._servers.start_stand_ins(self.roster)
        with STEPS.step("livekit-server answers"):
            self._credentials = await self._livekit()
        self._rooms = await enter(rooms.Rooms(self._credentials))
        self._room = OpenRoom(
            self.roster.room, self._rooms, self._servers.wait_for_livekit, server_is_own=self.roster.livekit is None
        )
        self._stack.push_async_callback(self._undo_room)
        with STEPS.step("make the room"):
            await self._room.make()
        transcript = Transcript(self.log_dir, self.roster.transcript, room=self.roster.room, topic=self.roster.topic)
        self._stack.callback(transcript.close)
        self._transcript_writer = TranscriptWriter(
            transcript,
            lambda why: self.supervisor.warn(CHAIR_IDENTITY, why),
            lambda why: self.supervisor.calm(CHAIR_IDENTITY, why),
            lambda seat: self.supervisor.state.seats[seat].name,
        )
        self.supervisor.listen(self._transcript_writer.observe)
        self.cast = Cast(
            self.roster,
            supervisor=self.supervisor,
            servers=self._servers,
            credentials=self._credentials,
            room_service=self._rooms,
            open_room=self._room,
            transcript=transcript,
            mark=self._mark,
            mask=self._mask,
            tells_steps=tells_steps,
        )
        self.supervisor.listen(Recovery(self.cast, self._room, self._own).observe)
        self.changes = Changes(
            self.roster.room,
            supervisor=self.supervisor,
            servers=self._servers,
            cast=self.cast,
            mask=self._mask,
            roster=lambda: self.roster,
            follow=self._follow,
            is_ending=lambda: self._ending is not None,
        )
        self.direction = Direction(self.supervisor, self.cast, self.roster.room)
        self.supervisor.listen(self.direction.observe)
        self._stack.push_async_callback(self.direction.aclose)
        self.host_requests = HostRequests(self.report_bug)
        self._stack.push_async_callback(self.host_requests.aclose)
        self.supervisor.listen(
            Approvals(
                self.host_requests,
                self.supervisor.send,
                lambda seat: self.supervisor.state.seats[seat].name,
                self.supervisor.warn,
                self.supervisor.calm,
            ).observe
        )
        self._stack.push_async_callback(self._tasks.cancel)
        front_door = FrontDoor(
            self.roster.room,
            credentials=self._credentials,
            room_service=self._rooms,
            own_server=self.roster.livekit is None,
            cast=self.cast,
            direction=self.direction,
            host_requests=self.host_requests,
            asks=lambda: self.roster.admit is AdmitMode.ASK,
            reach=self._reach,
            info=self._info,
            mask=self._mask,
            publish=self.event_stream.publish,
            end=lambda: self._own(self._end_for_everyone()),
            own=self._own,
            failed=self.report_bug,
        )
        with STEPS.step("open the page"):
            self.front_door = await enter(front_door)
        self.supervisor.listen(self.front_door.people.observe)
        self._stack.push_async_callback(self.end)
        if not self._room.own:
            await self.cast.find_chair()
        mark_begun(self.log_dir)
        self.supervisor.listen(LimitEnforcer(self.supervisor, self.cast.entries, self._own).observe)
        self.cast.seat_all(self.roster.agents)
        self._servers.seated.set()
        self._own(sample_forever(self.supervisor))
        self._own(self._beat())
        if self._reach is not None and self.roster.livekit is None:
            self._own(
                watch_address(
                    self._reach.place.address,
                    lambda why: self.supervisor.warn(LIVEKIT_SEAT, why),
                    lambda why: self.supervisor.calm(LIVEKIT_SEAT, why),
                )
            )
        deadlines = Deadlines(
            lambda: self.roster, self.cast, self.direction, self._own, lambda reason: self.end(reason=reason)
        )
        self._own(deadlines.end_when_deserted(self._rooms))
        self._own(deadlines.end_when_over(self.started_at))

    def _launcher(self, started: Callable[[int], None]) -> Launcher:
        if not can_fork():
            return ExecLauncher()
        told = self._timeline.told_by("preloader") if self._timeline is not None else None
        return ForkLauncher(preloader(self.roster), service_environment(self._mark), started, told)

    async def _livekit(self) -> LiveKitCredentials:
        if self.roster.livekit is not None:
            return self.roster.livekit
        assert self._server_binary is not None
        return await self._servers.start_livekit(
            self._server_binary, self.files.livekit_config, None if self._reach is None else self._reach.media
        )

    # --- while it runs ---

    def _info(self) -> Mapping[str, Any]:
        return {
            "topic": self.roster.topic,
            "agents": [entry.name for entry in self.cast.entries.values()],
            "transcript": self.roster.transcript,
            "loopback_only": self._servers.loopback_only,
        }

    def _follow(self, roster: Roster) -> None:
        self.roster = roster

    def _own(self, work: Awaitable[None]) -> None:
        self._tasks.own(work, getattr(work, "__qualname__", "work"))

    # --- ending ---

    async def _end_for_everyone(self) -> None:
        await self.end(reason="a host ended it")

    async def _beat(self) -> None:
        while True:
            beat(self.files)
            self._manager.tell_alive()
            await asyncio.sleep(BEAT_S)

    async def _end(self, timeout_s: float, reason: str | None) -> Ending:
        started = time.monotonic()
        self._manager.tell(STOPPING)
        pids = dict(self.supervisor.pids())
        joined = self.cast.seats()
        await self.supervisor.stop_attending(joined, timeout_s=timeout_s)
        if reason is not None:
            self._transcript_writer.note(f"The meeting ended: {reason}.")
        room_deleted = await self._room.close(key for key in joined if key not in self.cast.taken_over)
        # After the room: people are told by their connection first, and find the door closed behind them.
        self.front_door.close()
        await self.supervisor.stop_all(timeout_s=max(SERVICES_STOP_S, timeout_s - (time.monotonic() - started)))
        left = await asyncio.to_thread(remaining, pids.values(), self.id) | self.supervisor.strays_left
        seats = self.supervisor.state.seats
        avatars = [key for key, entry in self.cast.entries.items() if entry.program is Program.SIMLI]
        closed = [key for key in avatars if seats[key].returncode == 0]
        ending = Ending(
            room=self.roster.room,
            processes_ended=len(pids) + self.supervisor.strays_ended,
            processes_left=tuple(sorted(left)),
            own_room=self._room.own,
            room_deleted=room_deleted,
            avatar_sessions_closed=len(closed),
            avatars_killed=tuple(key for key in avatars if key not in closed),
            seconds=time.monotonic() - started,
            reason=reason,
            avatar_sessions_left=self._accounts.avatars_run_on(time.time()),
        )
        self.event_stream.close()
        self.ended.set()
        return ending

    async def _undo_room(self) -> None:
        if self._ending is None:
            await self._room.undo()
