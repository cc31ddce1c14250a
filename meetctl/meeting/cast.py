"""Who attends a meeting besides people: the chair, the agents, the player of a rehearsal; their seats and tokens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from pydantic import SecretStr

from meetctl import rooms
from meetctl.errors import LiveKitError, UsageError
from meetctl.meeting.face_ways import Transport, has_to_be_measured, is_left_to_itself, way_of_local_face
from meetctl.meeting.local_servers import LocalServers
from meetctl.meeting.open_room import OpenRoom
from meetctl.meeting.seats import AgentSeat, ChairSeat, CommandSeat, DispatchedSeat, PlayerSeat
from meetctl.meeting.transcript import Transcript
from meetctl.programs.assignments import agent_assignment, cast_member, chair_assignment
from meetctl.programs.launch import agent_environment, chair_environment
from meetctl.programs.room_access import CHAIR_IDENTITY, CHAIR_NAME, RoomAccess, StandIns
from meetctl.protocol import Assignment, CastChanged, CastMember, Model
from meetctl.protocol.dispatch import STAND_INS_URL
from meetctl.protocol.rehearsal import Script
from meetctl.protocol.secrets import Masker
from meetctl.roster import SIMLI_URL, AgentEntry, Program, Roster, avatar_identity, secrets_of_entry, why_not_direct
from meetctl.settings import LiveKitCredentials
from meetctl.supervisor.seat_spec import Seat
from meetctl.supervisor.state import Phase
from meetctl.supervisor.supervisor import Supervisor
from meetctl.workers.orders import dispatch_order

OF_THE_WORKER = StandIns(STAND_INS_URL, None)


class Cast:
    """Seats the chair and the agents of one meeting, and answers for each at every start."""

    def __init__(
        self,
        roster: Roster,
        *,
        supervisor: Supervisor,
        servers: LocalServers,
        credentials: LiveKitCredentials,
        room_service: rooms.Rooms,
        open_room: OpenRoom,
        transcript: Transcript,
        mark: Mapping[str, str],
        mask: Masker,
        tells_steps: bool = False,
    ) -> None:
        self.entries: dict[str, AgentEntry] = {}
        """By identity, in the order they were seated."""
        self.joined: set[str] = set()
        """Who came by `join` and not with the roster."""
        self.taken_over: set[str] = set()
        """Identities that somebody else has joined with, so that ours had to go."""
        self._written: dict[str, AgentEntry] = {}
        """The same as the roster has them, before the way of a face was settled."""
        self.ways: dict[str, str] = {}
        """Why a local face that was left to itself takes the way it takes, by identity."""
        self._is_measuring = False
        """The ways of local faces stay open until it is known what the machine carries."""
        self._roster = roster
        self._supervisor = supervisor
        self._servers = servers
        self._credentials = credentials
        self._rooms = room_service
        self._open_room = open_room
        self._transcript = transcript
        self._mark = mark
        self._mask = mask
        self._tells_steps = tells_steps
        self._chair_identity = CHAIR_IDENTITY
        self._own_chair = True
        self._numbers: dict[str, int] = {}
        """Who sat where: an agent that is replaced keeps the voice of its place."""

    async def find_chair(self) -> None:
        """In somebody else's room there may be a chair already; then ours would be one too many."""
        for participant in await self._rooms.participants(self._roster.room):
            if participant.role == "chair" and participant.kind is rooms.ParticipantKind.AGENT:
                self._chair_identity = participant.seat
                self._own_chair = False

    def seat_all(self, entries: Sequence[AgentEntry]) -> None:
        """Seats the chair, unless the room has one, and these agents; people can join before all is measured."""
        self._is_measuring = has_to_be_measured(entries) and self._servers.machine is None
        if self._own_chair:
            self._supervisor.add(ChairSeat(self, depends_on=self._servers.livekit_seat))
        for entry in entries:
            self._seat(entry)

    async def add(self, entry: AgentEntry) -> None:
        """Seats one more agent and tells the chair."""
        self._mask.add(*secrets_of_entry(entry))
        self._seat(entry)
        await self._tell_chair()

    async def seat_player(self, script: Callable[[LiveKitCredentials, str], Script]) -> None:
        """Seats the scripted people of a rehearsal.

        Args:
            script: made of the server's credentials and the address of the local model server, by whose voice they
                speak whatever the roster says of the agents'.
        """
        self._servers.start_voice()
        stand_ins = await self._servers.wait_for_stand_ins()
        assert stand_ins.models_url is not None
        line = script(self._credentials, stand_ins.models_url)
        self._mask.add(*(ticket.token.get_secret_value() for ticket in line.tickets))
        self._supervisor.add(PlayerSeat(line, self._mark))

    async def remove(self, identity: str, *, timeout_s: float) -> None:
        """Lets an agent leave, takes its seat and its participant away, and tells the chair.

        In this order: the chair believes only its cast, and the agent still has to hand over what it was saying.
        """
        del self.entries[identity]
        del self._written[identity]
        self.ways.pop(identity, None)
        self.joined.discard(identity)
        await self._supervisor.remove(identity, timeout_s=timeout_s)
        await self._tell_chair()
        await self.remove_participant(identity)

    async def replace(self, entry: AgentEntry, *, timeout_s: float) -> None:
        """Fills the seat of that identity by another entry."""
        self._mask.add(*secrets_of_entry(entry))
        written, entry = entry, self._settled(entry)
        if not is_left_to_itself(written):
            self.ways.pop(written.identity, None)
        self._written[entry.identity] = written
        self.entries[entry.identity] = entry
        await self._supervisor.restart(entry.identity, timeout_s=timeout_s, seat=self._seat_of(entry))
        await self._tell_chair()

    async def remove_participant(self, identity: str) -> None:
        """Removes what a killed agent leaves in the room: a ghost that the server would keep for twenty seconds.

        Never somebody else who has taken the identity: that is for people to sort out.
        """
        if identity in self.taken_over:
            return
        with contextlib.suppress(LiveKitError):
            await self._rooms.remove(self._roster.room, identity)
            await self._rooms.remove(self._roster.room, avatar_identity(identity))

    async def follow(self, roster: Roster, *, restart_chair: bool, timeout_s: float) -> None:
        """Makes every further assignment from this roster; the chair gets its own anew where it has to."""
        self._roster = roster
        if restart_chair and self._own_chair:
            await self._supervisor.restart(CHAIR_IDENTITY, timeout_s=timeout_s)

    async def bring_back(self, lost_at: float, *, timeout_s: float) -> None:
        """Starts everybody again who was in the room when its server went away at that monotonic moment.

        Their connections are dead, and would take a quarter of a minute to find out.
        """

        def was_there(key: str) -> bool:
            seat = self._supervisor.state.seats[key]
            return seat.phase is Phase.BACKOFF or (seat.started_at is not None and seat.started_at < lost_at)

        there = [key for key in self.seats() if was_there(key)]
        await asyncio.gather(*(self._supervisor.restart(key, timeout_s=timeout_s) for key in there))

    @property
    def own_chair(self) -> bool:
        """Returns whether the chair is ours."""
        return self._own_chair

    def seats(self) -> list[str]:
        """Returns the keys of the chair's and the agents' seats: those that join the room."""
        return [*self.entries, *([CHAIR_IDENTITY] if self._own_chair else [])]

    def taken(self) -> set[str]:
        """Returns the identities and lower-case names in use."""
        return {CHAIR_IDENTITY, *self.entries, *(entry.name.lower() for entry in self.entries.values())}

    def as_written(self) -> tuple[AgentEntry, ...]:
        """Returns the agents as the roster has them."""
        return tuple(self._written[identity] for identity in self.entries)

    def transports(self) -> dict[str, tuple[str, str | None]]:
        """Returns of each avatar how its face takes, once that is settled, and why where it was left to us."""
        settled = {identity: entry for identity, entry in self.entries.items() if not is_left_to_itself(entry)}
        faces = {identity: entry.face for identity, entry in settled.items() if entry.face is not None}
        return {identity: (face.transport, self.ways.get(identity)) for identity, face in faces.items()}

    def joins_itself(self, identity: str) -> bool:
        """Returns whether the agent's face is a participant of its own, as far as that is settled."""
        entry = self.entries.get(identity)
        return entry is not None and entry.face is not None and entry.face.transport == "direct"

    def members(self) -> tuple[CastMember, ...]:
        """Returns the agents as the chair knows them."""
        return tuple(cast_member(entry) for entry in self.entries.values())

    # --- what a seat asks for at each start ---

    def chair_environment(self) -> Mapping[str, str]:
        return chair_environment(self._roster, self._mark)

    def environment_of(self, entry: AgentEntry) -> Mapping[str, str]:
        return agent_environment(entry, self._place(entry), self._mark, self._credentials)

    async def assignment_of(self, entry: AgentEntry) -> Model:
        if entry.face is not None:
            await self._servers.wait_for_simli()
            entry = await self._with_way(entry)
        return await self._assignment(entry, self._servers.stand_ins)

    async def order_of(self, entry: AgentEntry) -> Model:
        order = dispatch_order(entry, await self._assignment(entry, OF_THE_WORKER), self._credentials)
        self._mask.add(order.admin.get_secret_value(), order.token.get_secret_value())
        return order

    async def _assignment(self, entry: AgentEntry, stand_ins: StandIns) -> Assignment:
        await self._open_room.wait_open()
        assignment = agent_assignment(
            entry,
            self._place(entry),
            stand_ins,
            seat_number=self._numbers[entry.identity],
            transcript=self._transcript.lines(),
            cast=self.members(),
            mark=self._mark,
        )
        return self._timed(assignment)

    async def chair_assignment(self) -> Model:
        token = rooms.chair_token(self._credentials, room=self._roster.room, identity=CHAIR_IDENTITY, name=CHAIR_NAME)
        place = RoomAccess(self._roster.room, self._credentials.url, token, CHAIR_IDENTITY, self._roster.topic)
        await self._open_room.wait_open()
        assignment = chair_assignment(
            self._roster, place, self._servers.stand_ins, transcript=self._transcript.lines(), cast=self.members()
        )
        return self._timed(assignment)

    def _timed(self, assignment: Assignment) -> Assignment:
        return assignment.model_copy(update={"tells_steps": True}) if self._tells_steps else assignment

    async def is_active(self, identity: str) -> bool:
        with contextlib.suppress(LiveKitError):
            found = await self._rooms.participants(self._roster.room)
            return any(participant.seat == identity and participant.active for participant in found)
        return False

    async def _with_way(self, entry: AgentEntry) -> AgentEntry:
        """Returns the entry with the way that its face takes; settles that of all, where it is still open."""
        if self._is_measuring and is_left_to_itself(self.entries.get(entry.identity, entry)):
            await self._servers.wait_for_machine()
            self._is_measuring = False
            for identity, seated in self.entries.items():  # in the roster's order, whoever comes first here
                self.entries[identity] = self._settled(seated)
        return self.entries.get(entry.identity, entry)

    def _settled(self, entry: AgentEntry) -> AgentEntry:
        """Returns the entry with the way that its face takes into this very room.

        Raises:
            UsageError: it is to join by itself and cannot.
        """
        face = entry.face
        if face is None or face.transport == "bridge":
            return entry
        if face.local and face.transport == "auto":
            if self._is_measuring:
                return entry
            way = self._way_of_local(entry)
            return entry.model_copy(update={"face": face.model_copy(update={"transport": way})})
        why = None if face.local else why_not_direct(self._credentials.url, face.url or SIMLI_URL)
        if why is not None and face.transport == "direct":
            raise UsageError(f"{entry.name}: {why}", hint="write transport: bridge, or transport: auto")
        legacy = face.api == "legacy"  # which has no way to join by itself
        way = "bridge" if why is not None or legacy else "direct"
        return entry.model_copy(update={"face": face.model_copy(update={"transport": way})})

    def _way_of_local(self, entry: AgentEntry) -> Transport:
        """Returns how a local face takes that is left to itself: bridged, so that its connection is seen, if it can."""
        if avatar_identity(entry.identity) in {*self.entries, *(other.identity for other in self._roster.agents)}:
            self.ways.pop(entry.identity, None)
            return "bridge"
        others = [other for other in self.entries.values() if other.identity != entry.identity]
        coming = [other for other in self._roster.agents if other.identity not in {entry.identity, *self.entries}]
        way, why = way_of_local_face(self._servers.machine, others, [*coming, entry])
        if why:
            self.ways[entry.identity] = why
        else:
            self.ways.pop(entry.identity, None)
        return way

    def _seat(self, entry: AgentEntry) -> None:
        written, entry = entry, self._settled(entry)
        self._numbers[entry.identity] = max(self._numbers.values(), default=-1) + 1
        self._supervisor.add(self._seat_of(entry))
        if not is_left_to_itself(written):
            self.ways.pop(written.identity, None)
        self._written[entry.identity] = written
        self.entries[entry.identity] = entry

    def _seat_of(self, entry: AgentEntry) -> Seat:
        room, depends_on = self._roster.room, self._servers.livekit_seat
        if entry.program is Program.COMMAND:
            return CommandSeat(entry, room, self, depends_on=depends_on)
        if entry.dispatched:
            return DispatchedSeat(entry, room, self, own_chair=self._own_chair, depends_on=depends_on, mark=self._mark)
        return AgentSeat(entry, room, self, own_chair=self._own_chair, depends_on=depends_on)

    def _place(self, entry: AgentEntry) -> RoomAccess:
        token = rooms.agent_token(self._credentials, room=self._roster.room, identity=entry.identity, name=entry.name)
        avatar: SecretStr | None = None
        if entry.face is not None and entry.face.transport == "direct":
            avatar = rooms.avatar_token(
                self._credentials,
                room=self._roster.room,
                identity=avatar_identity(entry.identity),
                name=entry.name,
                agent=entry.identity,
            )
            self._mask.add(avatar.get_secret_value())
        return RoomAccess(
            self._roster.room,
            self._credentials.url,
            token,
            self._chair_identity,
            self._roster.topic,
            self._roster.language,
            register_with_chair=not self._own_chair,
            avatar_token=avatar,
        )

    async def _tell_chair(self) -> None:
        if self._own_chair:
            await self._supervisor.send(CHAIR_IDENTITY, CastChanged(cast=self.members()))
