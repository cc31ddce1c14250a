"""Lets people in, each by a name that is no agent's, none of the meeting's own, and nobody's who is there."""

from __future__ import annotations

import contextlib
import secrets
import time
from datetime import timedelta

from meetctl.errors import LiveKitError, UsageError
from meetctl.meeting.cast import Cast
from meetctl.meeting.people import People
from meetctl.programs.room_access import CHAIR_NAME
from meetctl.protocol.names import MAX_NAME_CHARACTERS, clean_name, free_name
from meetctl.rooms import ParticipantKind, Rooms, guest_token, observer_token
from meetctl.settings import LiveKitCredentials, slug
from meetctl.web.invites import Comer, ConnectionDetails, Role

PERSON_TTL = timedelta(minutes=10)
"""A token is for joining: who is connected is given new ones by the server, and whoever comes later asks the page's
server, which may say no. What is in nobody's hand any more soon opens nothing."""
ON_THE_WAY_S = 5.0
"""From a token to the room: two who ask at once are not given one name."""


class Admission:
    """Knows who is there, and who is just coming."""

    def __init__(self, room: str, rooms: Rooms, credentials: LiveKitCredentials, cast: Cast, people: People) -> None:
        self._room = room
        self._credentials = credentials
        self._rooms = rooms
        self._cast = cast
        self._people = people
        self._coming: dict[str, tuple[float, str]] = {}

    async def admit(self, wanted: str, comer: Comer, *, ttl: timedelta = PERSON_TTL) -> ConnectionDetails:
        """Returns what a person needs to join; each call makes a participant of its own.

        Args:
            comer: as what they come.
            ttl: for how long one may join by the token.

        The name may be another than the one that was wanted: nobody comes in under an agent's, or somebody else's.

        Raises:
            UsageError: if it is no name.
        """
        name = await self._name_for(wanted)
        identity = f"{slug(name) or 'guest'}-{secrets.token_hex(3)}"
        mint = observer_token if comer.role is Role.OBSERVER else guest_token
        token = mint(self._credentials, room=self._room, identity=identity, name=name, ttl=ttl)
        self._people.admitted(identity, comer)
        self._coming[identity] = (time.monotonic(), name)
        return ConnectionDetails(self._credentials.url, token, identity, name, self._room)

    async def _name_for(self, wanted: str) -> str:
        name = checked_name(wanted)
        agents = {CHAIR_NAME, *(entry.name for entry in self._cast.entries.values())}
        people: set[str] = set()
        with contextlib.suppress(LiveKitError):  # a server that is away has nobody in its room
            for participant in await self._rooms.participants(self._room):
                is_agent = participant.role is not None or participant.kind is ParticipantKind.AGENT
                (agents if is_agent else people).add(participant.name)
        now = time.monotonic()
        self._coming = {key: (at, name) for key, (at, name) in self._coming.items() if now - at < ON_THE_WAY_S}
        people |= {name for _, name in self._coming.values()}
        return free_name(name, people - {""}, agents - {""})


def checked_name(wanted: str) -> str:
    """Returns the name on one line.

    Raises:
        UsageError: if it is no name.
    """
    name = clean_name(wanted)
    if name is None:
        raise UsageError(f"a name has 1 to {MAX_NAME_CHARACTERS} visible characters", hint="--name Bob")
    return name
