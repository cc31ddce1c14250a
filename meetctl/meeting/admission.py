"""The name of whoever comes in: never an agent's, one of the meeting's own, or somebody's who is there."""

from __future__ import annotations

import contextlib
import time

from meetctl.errors import LiveKitError, UsageError
from meetctl.meeting.cast import Cast
from meetctl.programs.room_access import CHAIR_NAME
from meetctl.protocol.names import MAX_NAME_CHARACTERS, clean_name, free_name
from meetctl.rooms import ParticipantKind, Rooms

ON_THE_WAY_S = 5.0
"""From a token to the room: two who ask at once are not given one name."""


class Admission:
    """Knows who is there, and who is just coming."""

    def __init__(self, room: str, rooms: Rooms, cast: Cast) -> None:
        self._room = room
        self._rooms = rooms
        self._cast = cast
        self._coming: dict[str, tuple[float, str]] = {}

    async def name_for(self, wanted: str) -> str:
        """Returns the name that somebody who wants this one gets.

        Raises:
            UsageError: if it is no name.
        """
        name = clean_name(wanted)
        if name is None:
            raise UsageError(f"a name has 1 to {MAX_NAME_CHARACTERS} visible characters", hint="--name Bob")
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

    def let_in(self, identity: str, name: str) -> None:
        """Notes who is on the way."""
        self._coming[identity] = (time.monotonic(), name)
