"""Who the agents are: those the supervisor named, and those that registered themselves. Asks the room, tells nobody."""

from __future__ import annotations

from livekit import rtc

from meetctl.protocol import CastMember

from ..room.attendance import is_human
from ..room.seating import participant_in


class Cast:
    """The meeting's agents as the chair knows them."""

    def __init__(self, room: rtc.Room, given: tuple[CastMember, ...]) -> None:
        self._room = room
        self._given = given
        self._registered: dict[str, CastMember] = {}
        self._names = {member.identity: member.name for member in given}

    @property
    def members(self) -> tuple[CastMember, ...]:
        given = {member.identity for member in self._given}
        others = (member for name, member in self._registered.items() if name not in given)
        return (*self._given, *others)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def set_given(self, given: tuple[CastMember, ...]) -> None:
        """Takes the supervisor's word; those who registered themselves stay."""
        self._given = given
        self._names |= {member.identity: member.name for member in given}

    def register(self, member: CastMember) -> None:
        self._registered[member.identity] = member
        self._names[member.identity] = member.name

    def leave(self, identity: str) -> bool:
        """Forgets an agent that had registered itself; returns whether it had."""
        return self._registered.pop(identity, None) is not None

    def has(self, identity: str) -> bool:
        return any(member.identity == identity for member in self.members)

    def is_outside(self, identity: str) -> bool:
        """Returns whether it is an agent that serves no `mc.*`, as the server says it is one."""
        outside = any(member.identity == identity and not member.serves_floor for member in self.members)
        return outside and self.is_of_kind_agent(identity)

    def is_of_kind_agent(self, identity: str) -> bool:
        participant = participant_in(self._room, identity)
        return participant is not None and participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT

    def is_person(self, participant: rtc.Participant) -> bool:
        return is_human(participant, {member.identity for member in self.members})

    def name_of(self, identity: str) -> str:
        """Returns the name of an agent, of one that has left too: its last words may come after it."""
        return self._names.get(identity, identity)
