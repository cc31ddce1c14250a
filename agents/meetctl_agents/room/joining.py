"""Joining a LiveKit room, and saying why one fell out of it. Subscribes to nothing, publishes nothing."""

from __future__ import annotations

import asyncio
import logging

from livekit import rtc

from meetctl.errors import LiveKitError
from meetctl.protocol import Assignment, Failed

CONNECT_S = 15.0
"""Joining takes 0.05 s on one machine and a second or two across the world; more means it will not happen."""
DISCONNECT_S = 2.0
"""Leaving is one message; a server that is gone must not keep us."""

SPEAKING = rtc.RoomOptions(auto_subscribe=False)
LISTENING = rtc.RoomOptions(auto_subscribe=False, single_peer_connection=False)
"""For whoever subscribes. Over one connection for both ways, a track that goes before its subscription is complete has
server and library (1.1.21) negotiate without end, each time for one more: half a core and ever more memory, for as long
as we stay in the room."""

PERMANENT = frozenset({"DUPLICATE_IDENTITY", "PARTICIPANT_REMOVED", "ROOM_DELETED", "CLIENT_INITIATED"})
"""Somebody meant it: joining again would fight with whoever took the identity or closed the room."""

HINTS = {
    "DUPLICATE_IDENTITY": "another participant joined with this identity; give one of them a different one",
    "PARTICIPANT_REMOVED": "somebody removed it from the room; add it again with `meetctl join`",
    "ROOM_DELETED": "the room was closed; start the meeting again with `meetctl up`",
}

logger = logging.getLogger(__name__)


async def join(room: rtc.Room, assignment: Assignment) -> None:
    """Connects without subscribing to anything.

    Raises:
        LiveKitError: naming room and server, never the token.
    """
    where = f"room {assignment.room!r} at {assignment.url} as {assignment.identity!r}"
    listens = assignment.identity == assignment.chair_identity
    try:
        async with asyncio.timeout(CONNECT_S):
            token = assignment.token.get_secret_value()
            await room.connect(assignment.url, token, LISTENING if listens else SPEAKING)
    except rtc.ConnectError as error:
        hint = "is the LiveKit server running, and are its key and secret the ones the token was made with?"
        raise LiveKitError(f"could not join {where}: {error.message}", hint=hint) from None
    except TimeoutError:
        hint = "is the LiveKit server reachable from this machine?"
        raise LiveKitError(f"could not join {where} within {CONNECT_S:.0f} s", hint=hint) from None


async def leave(room: rtc.Room) -> None:
    """Disconnects; bounded, and quiet where there is nothing to leave."""
    try:
        async with asyncio.timeout(DISCONNECT_S):
            await room.disconnect()
    except Exception:
        logger.warning("did not leave the room cleanly", exc_info=True)


def why_disconnected(reason: rtc.DisconnectReason.ValueType, assignment: Assignment) -> Failed:
    """Returns the last line of a child that was put out of its room."""
    name = rtc.DisconnectReason.Name(reason)
    return Failed(
        code=name.lower(),
        message=f"disconnected from room {assignment.room!r} at {assignment.url}: {name.lower().replace('_', ' ')}",
        hint=HINTS.get(name),
        permanent=name in PERMANENT,
    )
