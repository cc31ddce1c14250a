"""Somebody in the room who subscribes to everything and says of each publication whether its media really arrives.

After a process is killed its old track goes on for a while at whoever listens (concealment), so what counts is a
publication that was not there before, and what WebRTC has received of it: packets of sound, decoded pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Self

from livekit import rtc

POLL_S = 0.02

_COUNTED = {rtc.TrackKind.KIND_AUDIO: "audio", rtc.TrackKind.KIND_VIDEO: "video"}


class SubscriberProbe:
    """Async context manager around a connected room."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url, token

    async def __aenter__(self) -> Self:
        self.room = rtc.Room()
        await self.room.connect(self._url, self._token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.room.disconnect()

    def publications(self, identity: str) -> set[str]:
        """Returns the sids of what the participant publishes, and did before if nobody has taken it back yet."""
        participant = self.room.remote_participants.get(identity)
        return set(participant.track_publications) if participant is not None else set()

    async def wait_media(self, identity: str, kinds: Iterable[str], *, besides: Collection[str] = ()) -> None:
        """Waits until each kind (`audio`, `video`) arrives from a publication that is none of these sids."""
        wanted = set(kinds)
        while not wanted <= await self._arriving(identity, besides):
            await asyncio.sleep(POLL_S)

    async def _arriving(self, identity: str, besides: Collection[str]) -> set[str]:
        participant = self.room.remote_participants.get(identity)
        found = set()
        for sid, publication in dict(participant.track_publications if participant is not None else {}).items():
            if sid not in besides and publication.track is not None and await _received(publication.track):
                found.add(_COUNTED[publication.kind])
        return found


async def _received(track: rtc.Track) -> bool:
    try:
        stats = await track.get_stats()
    except RuntimeError:
        return False  # it is going away
    inbound = [entry.inbound_rtp for entry in stats if entry.WhichOneof("stats") == "inbound_rtp"]
    if track.kind == rtc.TrackKind.KIND_AUDIO:
        return any(each.received.packets_received > 0 for each in inbound)
    return any(each.inbound.frames_decoded > 0 for each in inbound)
