"""The proof that an agent's media arrives at another participant: subscribe, see it flow, let go.

Frames prove nothing (a subscriber is handed silence for a track on which nothing was ever captured), so the statistics
of the receiving side decide: audio packets that keep coming, a picture that was decoded.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from livekit import rtc
from livekit.agents import utils

from meetctl.protocol import MediaKind, MediaReceived
from meetctl.protocol.steps import STEPS

from ..process.wire import Report
from .events import RoomEvents
from .seating import seat_of, seat_of_face

POLL_S = 0.03
"""Statistics cost a millisecond; a proof takes four or five looks."""
SLOWEST_POLL_S = 1.0
PATIENCE = 50
"""What has not come for so many looks is looked for less often: within a fiftieth of the time that it has taken."""
ENOUGH_PACKETS = 2
"""Audio packets that must come: of silence there are five a second."""

KINDS = {rtc.TrackKind.KIND_AUDIO: MediaKind.AUDIO, rtc.TrackKind.KIND_VIDEO: MediaKind.VIDEO}

logger = logging.getLogger(__name__)


class Probe:
    """Proves each new track of those in a seat for which `is_agent` holds, and the pictures of faces that joined by
    themselves on their behalf; async context manager around the proofs under way.
    """

    def __init__(self, room: rtc.Room, report: Report, is_agent: Callable[[str], bool]) -> None:
        self._room = room
        self._report = report
        self._is_agent = is_agent
        self._proofs: dict[str, asyncio.Task[None]] = {}
        self._proven: set[str] = set()
        self._events = RoomEvents(
            room,
            track_published=self._on_published,
            track_subscribed=self._on_subscribed,
            track_unpublished=self._on_unpublished,
            participant_disconnected=self._on_left,
        )

    async def __aenter__(self) -> Self:
        self._events.attach()
        self.look_around()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.detach()
        await utils.aio.cancel_and_wait(*self._proofs.values())

    def look_around(self) -> None:
        """Takes up the tracks that are there; of use again whenever the cast changed."""
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_published(publication, participant)

    def _on_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        known = publication.sid in self._proven or publication.sid in self._proofs
        if not known and self._seat_of(publication, participant) is not None:
            publication.set_subscribed(True)

    def _on_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        seat = self._seat_of(publication, participant)
        if seat is None or publication.sid in self._proofs:
            return
        proof = asyncio.create_task(self._prove(track, publication, seat), name="probe")
        self._proofs[publication.sid] = proof
        proof.add_done_callback(lambda _: self._proofs.pop(publication.sid, None))

    def _seat_of(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> str | None:
        """Returns the seat whose media this track is."""
        if self._is_agent(seat := seat_of(participant)):
            return seat if publication.kind in KINDS else None
        agent = seat_of_face(self._room, participant)
        # The agent has a voice of its own, whose proof this one's would hide.
        is_shown = agent is not None and publication.kind == rtc.TrackKind.KIND_VIDEO and self._is_agent(agent)
        return agent if is_shown else None

    def _on_unpublished(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        self._forget(publication.sid)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        for sid in list(participant.track_publications):
            self._forget(sid)

    def _forget(self, sid: str) -> None:
        self._proven.discard(sid)
        proof = self._proofs.get(sid)
        if proof is not None:
            proof.cancel()

    async def _prove(self, track: rtc.Track, publication: rtc.RemoteTrackPublication, identity: str) -> None:
        media = KINDS[publication.kind]
        began = time.monotonic()
        # Both count from nothing: a picture is decoded, and a packet received, only since we subscribed.
        enough = ENOUGH_PACKETS if media is MediaKind.AUDIO else 1
        while (await _received(track, media) or 0) < enough:
            await asyncio.sleep(look_again_s(time.monotonic() - began))
        self._proven.add(publication.sid)
        STEPS.note(f"prove the {media} of {identity}", began)
        self._report(MediaReceived(identity=identity, kind=media))
        publication.set_subscribed(False)


def look_again_s(waited_s: float) -> float:
    """Returns in how many seconds to look again for what has not come for so long."""
    return min(max(POLL_S, waited_s / PATIENCE), SLOWEST_POLL_S)


async def _received(track: rtc.Track, media: MediaKind) -> int | None:
    try:
        stats = await track.get_stats()
    except Exception:
        return None  # the track is going away; its task is about to be cancelled
    for entry in stats:
        if entry.WhichOneof("stats") == "inbound_rtp":
            if media is MediaKind.AUDIO:
                return entry.inbound_rtp.received.packets_received
            return entry.inbound_rtp.inbound.frames_decoded
    return None
