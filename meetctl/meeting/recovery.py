"""What a meeting does of its own accord once something has gone: its server, an agent, or an agent's identity."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from meetctl.errors import MeetctlError
from meetctl.meeting.cast import Cast
from meetctl.meeting.open_room import OpenRoom
from meetctl.meeting.seats import LIVEKIT_SEAT
from meetctl.protocol import Failed, Ready
from meetctl.supervisor.events import ChildMessage, Exited, GaveUp, Proven, SeatEvent

LOST_STOP_S = 3.0
"""For those whose server went away: time to close an avatar's session, nothing else is left to say goodbye to."""


class Recovery:
    """Brings everybody back into the room, and leaves no ghosts there.

    Args:
        own: takes over work that goes on.
    """

    def __init__(self, cast: Cast, room: OpenRoom, own: Callable[[Awaitable[None]], None]) -> None:
        self._cast = cast
        self._room = room
        self._own = own
        self._server_lost_at: float | None = None

    def observe(self, event: SeatEvent) -> None:
        """Takes one thing that happened."""
        match event:
            case Exited(seat=seat, at=at) if seat == LIVEKIT_SEAT:
                self._server_lost_at = at
            case Proven(seat=seat) if seat == LIVEKIT_SEAT and self._server_lost_at is not None:
                self._own(self._come_back(self._server_lost_at))
                self._server_lost_at = None
            case ChildMessage(seat=seat, event=Failed(code="duplicate_identity")):
                self._cast.taken_over.add(seat)
            case ChildMessage(seat=seat, event=Ready()):
                self._cast.taken_over.discard(seat)
            case GaveUp(seat=seat) if seat in self._cast.entries:
                # It will not come back, so its ghost is not left to haunt the room for twenty seconds.
                self._own(self._cast.remove_participant(seat))
            case _:
                pass

    async def _come_back(self, lost_at: float) -> None:
        """The server is back and has forgotten everything: the room first, people's pages are looking for it."""
        with contextlib.suppress(MeetctlError):  # who wants to join tries the same, and says why it cannot
            await self._room.wait_open()
        await self._cast.bring_back(lost_at, timeout_s=LOST_STOP_S)
