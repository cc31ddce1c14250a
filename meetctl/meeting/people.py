"""The people of a meeting: who is there, what they send, and what a host does with them.

The LiveKit server is asked who is there; a person's page adds what only it can know. Whoever was removed stays out:
the way to the server's signaling refuses them, and who comes by another way is removed again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from meetctl.errors import LiveKitError, UsageError
from meetctl.meeting.limits import holds_open
from meetctl.programs.room_access import CHAIR_IDENTITY
from meetctl.protocol import Line, Utterance, UtteranceKind
from meetctl.rooms import ParticipantInfo, Rooms, TrackSource
from meetctl.status.document import PersonStatus
from meetctl.status.people import LockChanged, PeopleEvent, PersonChanged, PersonJoined, PersonLeft
from meetctl.supervisor.events import ChildMessage, SeatEvent
from meetctl.web.invites import Comer, Role
from meetctl.web.people import UNMUTE_TOPIC, ConnectionReport, Manage

LOOK_S = 2.0
"""Between two looks at who is there; one costs the server and us a millisecond each."""
REPORT_HOLDS_S = 20.0
"""A page reports every five seconds; after this long without one its connection is not known."""
LINES_TO_CHANGE = 8
"""Lines of one person that may still get longer."""
REMEMBERED = 2000
"""People of whom it is known how they came in: enough for days, and no more memory than a few hundred kB."""


@dataclass(slots=True)
class _Talk:
    seconds: float = 0.0
    """Of lines that stay as they are."""
    latest: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def add(self, line: Line) -> None:
        if line.ended_at is None:
            return
        self.latest[line.id] = max(0.0, line.ended_at - line.at)
        while len(self.latest) > LINES_TO_CHANGE:
            self.seconds += self.latest.popitem(last=False)[1]

    @property
    def total(self) -> float:
        return self.seconds + sum(self.latest.values())


class People:
    """Follows the people of one room.

    Args:
        agents: asked each time for identities that are no people, however they joined.
        publish: told what changed.
        drop: ends that identity's connections which pass through us.
        asks: whether a host has to let people in, at this moment.
        end: ends the meeting, for everyone.
    """

    def __init__(
        self,
        room: str,
        rooms: Rooms,
        agents: Callable[[], Collection[str]],
        *,
        publish: Callable[[PeopleEvent], object] = lambda event: None,
        drop: Callable[[str], Awaitable[object]] | None = None,
        asks: Callable[[], bool] = lambda: False,
        end: Callable[[], object] = lambda: None,
    ) -> None:
        self.locked = False
        """Whether nobody new comes in."""
        self._room = room
        self._rooms = rooms
        self._agents = agents
        self._publish = publish
        self._drop = drop
        self._asks = asks
        self._end = end
        self._unasked: set[str] = set()
        """Who was given a token when nobody had to be asked, and has not come in yet."""
        self._asked_at_look = False
        self._here: Mapping[str, ParticipantInfo] = {}
        self._admitted: OrderedDict[str, Comer] = OrderedDict()
        self._removed: set[str] = set()
        self._removed_devices: set[str] = set()
        self._devices_seen: OrderedDict[str, None] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._taken_back: set[str] = set()
        self._talk: dict[str, _Talk] = {}
        self._reports: dict[str, tuple[float, ConnectionReport]] = {}
        self._looking = asyncio.Lock()

    # --- who comes in ---

    def admitted(self, identity: str, person: Comer) -> None:
        """Notes who was given a token, and as what they come."""
        self._admitted[identity] = person
        if person.link is not None and not self._asks():  # without a link whoever runs the meeting let them in
            self._unasked.add(identity)
        while len(self._admitted) > REMEMBERED:
            self._unasked.discard(self._admitted.popitem(last=False)[0])

    def keeps_out(self, identity: str) -> bool:
        """Returns whether that identity was removed, or is not there and came as somebody who may not any more.

        That is by a link taken back since, from a browser whose user was removed, or new where nobody new comes in or
        a host would have to be asked by now.
        """
        if identity in self._removed:
            return True
        person = self._admitted.get(identity)
        if person is None or identity in self._here:
            return False
        if person.link in self._taken_back or self.keeps_out_device(person.device):
            return True
        is_new = identity not in self._seen and not self.knows_device(person.device)
        is_closed = self.locked or (identity in self._unasked and self._asks())
        return is_closed and is_new and person.role is not Role.HOST

    def take_back(self, links: Iterable[str]) -> None:
        """Lets nobody in any more who came by one of these links; who is there stays."""
        self._taken_back.update(links)

    def came_by(self, identity: str) -> str | None:
        """Returns which link that identity came by, None where it is not known."""
        person = self._admitted.get(identity)
        return None if person is None else person.link

    def keeps_out_device(self, device: str | None) -> bool:
        """Returns whether whoever uses this browser was removed."""
        return device is not None and device in self._removed_devices

    def knows_device(self, device: str | None) -> bool:
        """Returns whether whoever uses this browser has been in the meeting."""
        return device in self._devices_seen

    # --- who is there ---

    async def watch(self) -> None:
        """Looks again and again, until cancelled."""
        while True:
            with contextlib.suppress(LiveKitError):  # a server that is away has nobody in its room
                await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Asks the server who is there, and tells what changed."""
        async with self._looking:
            agents = self._agents()
            found = await self._rooms.participants(self._room)
            here = {one.identity: one for one in found if one.active and holds_open(one, agents)}
            if not self._asked_at_look:  # who was there before hosts had to be asked stays
                self._unasked -= here.keys()
            self._asked_at_look = self._asks()
            for identity in [identity for identity in here if self.keeps_out(identity)]:
                del here[identity]
                await self._rooms.remove(self._room, identity)
            before, self._here = self._here, here
            self._note_devices(here.keys() - before.keys())
            self._tell(before, here)

    def people(self) -> tuple[PersonStatus, ...]:
        """Returns everybody who was there at the last look, who came first at the head."""
        now = time.monotonic()
        return tuple(self._status(one, now) for one in self._here.values())

    def report(self, device: str, identity: str, connection: ConnectionReport) -> bool:
        """Notes what a page says of its own connection; returns whether that person joined from this browser."""
        person = self._admitted.get(identity)
        if person is None or person.device != device or identity in self._removed:
            return False
        self._reports[identity] = (time.monotonic(), connection)
        return True

    def observe(self, event: SeatEvent) -> None:
        """Counts how long people talk, by the chair's word."""
        match event:
            case ChildMessage(seat=seat, event=Utterance(line=line)) if seat == CHAIR_IDENTITY:
                if line.kind is UtteranceKind.SPEECH and line.identity not in self._agents():
                    self._talk.setdefault(line.identity, _Talk()).add(line)
            case _:
                pass

    def _note_devices(self, identities: Iterable[str]) -> None:
        for identity in identities:
            self._seen[identity] = None
            person = self._admitted.get(identity)
            if person is not None and person.device is not None:
                self._devices_seen[person.device] = None
        for seen in (self._devices_seen, self._seen):
            while len(seen) > REMEMBERED:
                seen.popitem(last=False)

    # --- what a host does ---

    async def manage(self, do: Manage, person: str = "") -> Mapping[str, object]:
        """Does what a host asks; returns whom it concerned.

        Raises:
            UsageError: if nobody of that name is there.
            LiveKitError: if the server does not do it.
        """
        match do:
            case Manage.KICK:
                return {"do": do.value, **await self._kick(await self._named(person))}
            case Manage.MUTE:
                return {"do": do.value, **await self._mute(await self._named(person))}
            case Manage.ASK_UNMUTE:
                return {"do": do.value, **await self._ask_to_unmute(await self._named(person))}
            case Manage.LOCK | Manage.UNLOCK:
                with contextlib.suppress(LiveKitError):
                    await self.look()  # who came in a moment ago is there, and stays
                self.locked = do is Manage.LOCK
                self._publish(LockChanged(self.locked, time.monotonic()))
            case Manage.END:
                self._end()
        return {"do": do.value}

    async def mute(self, word: str) -> Mapping[str, str] | None:
        """Mutes whoever has that name or identity; returns whom, None where nobody there has.

        Raises:
            LiveKitError: if the server does not do it.
        """
        found = await self._find(word)
        return None if found is None else await self._mute(found)

    async def ask_to_unmute(self, word: str) -> Mapping[str, str] | None:
        """Has somebody's page ask them to switch the microphone on; returns whom, None where nobody there is meant.

        Raises:
            UsageError: if they cannot, or it is on.
            LiveKitError: if the server does not pass it on.
        """
        found = await self._find(word)
        return None if found is None else await self._ask_to_unmute(found)

    async def _kick(self, one: ParticipantInfo) -> Mapping[str, str]:
        # First the doors, then the person: their client comes back within a second.
        self._removed.add(one.identity)
        person = self._admitted.get(one.identity)
        if person is not None and person.device is not None:
            self._removed_devices.add(person.device)
        try:
            await self._rooms.remove(self._room, one.identity)
        finally:
            if self._drop is not None:
                await self._drop(one.identity)
        with contextlib.suppress(LiveKitError):
            await self.look()
        return {"identity": one.identity, "name": one.name, "role": self._role_of(one.identity) or ""}

    async def _mute(self, one: ParticipantInfo) -> Mapping[str, str]:
        for track in one.tracks:
            if track.source is TrackSource.MICROPHONE and not track.muted:
                await self._rooms.mute(self._room, one.identity, track.sid)
        with contextlib.suppress(LiveKitError):
            await self.look()
        return {"identity": one.identity, "name": one.name}

    async def _ask_to_unmute(self, one: ParticipantInfo) -> Mapping[str, str]:
        name = one.name or one.identity
        if self._role_of(one.identity) == Role.OBSERVER:
            raise UsageError(f"{name} is an observer, who hears and cannot speak", hint="meetctl link --name NAME")
        if _sends(one)["microphone"]:
            raise UsageError(f"{name}'s microphone is on", hint="meetctl status")
        await self._rooms.tell(self._room, one.identity, UNMUTE_TOPIC)
        return {"identity": one.identity, "name": one.name}

    async def _named(self, word: str) -> ParticipantInfo:
        found = await self._find(word)
        if found is not None:
            return found
        names = ", ".join(one.name or one.identity for one in self._here.values()) or "nobody"
        raise UsageError(f"no person in {self._room} is called {word!r}; there is {names}", hint="meetctl status")

    async def _find(self, word: str) -> ParticipantInfo | None:
        await self.look()
        wanted = word.casefold()
        here = list(self._here.values())
        by_identity = [one for one in here if one.identity.casefold() == wanted]
        by_name = [one for one in here if one.name.casefold() == wanted]
        return next(iter(by_identity + by_name), None)

    # --- telling ---

    def _status(self, one: ParticipantInfo, now: float) -> PersonStatus:
        at, report = self._reports.get(one.identity, (0.0, None))
        if now - at > REPORT_HOLDS_S:
            report = None
        talk = self._talk.get(one.identity)
        return PersonStatus(
            identity=one.identity,
            name=one.name or one.identity,
            role=self._role_of(one.identity),
            since=datetime.fromtimestamp(one.joined_at, UTC).isoformat(timespec="seconds"),
            talked_s=round(0.0 if talk is None else talk.total, 1),
            **_sends(one),
            ice=None if report is None else report.ice.value,
            path=None if report is None else report.path,
            loss=None if report is None else report.loss,
            rtt_ms=None if report is None else report.rtt_ms,
        )

    def _role_of(self, identity: str) -> str | None:
        person = self._admitted.get(identity)
        return None if person is None else person.role.value

    def _tell(self, before: Mapping[str, ParticipantInfo], after: Mapping[str, ParticipantInfo]) -> None:
        now = time.monotonic()
        for identity in before.keys() - after.keys():
            self._reports.pop(identity, None)
            self._publish(PersonLeft(identity, identity in self._removed, now))
        for identity, one in after.items():
            if identity not in before:
                name = one.name or identity
                self._publish(PersonJoined(identity, name, self._role_of(identity), now))
            sends = _sends(one)
            if sends != (_sends(before[identity]) if identity in before else _NOTHING):
                self._publish(PersonChanged(identity, at=now, **sends))


_NOTHING = {"microphone": False, "camera": False, "screen": False}
_SHOWN = {
    "microphone": TrackSource.MICROPHONE,
    "camera": TrackSource.CAMERA,
    "screen": TrackSource.SCREEN,
}


def _sends(one: ParticipantInfo) -> dict[str, bool]:
    """Returns what of a person can be heard and seen at this moment."""
    live = {track.source for track in one.tracks if not track.muted}
    return {name: source in live for name, source in _SHOWN.items()}
