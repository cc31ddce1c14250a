"""Rooms of a LiveKit server and who is in them, seen by the holder of its API secret. It never joins a room."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from meetctl.errors import LiveKitError
from meetctl.protocol import ROLE_ATTRIBUTE, MediaKind
from meetctl.protocol.seating import seat_of
from meetctl.rooms.http import session_for
from meetctl.rooms.refusals import translated
from meetctl.rooms.tokens import key_pair
from meetctl.settings import LiveKitCredentials

if TYPE_CHECKING:
    import aiohttp
    from livekit import api
    from livekit.api.room_service import RoomService

EMPTY_TIMEOUT_S = 7 * 24 * 3600
"""How long a room waits for its first person. The server counts only people: agents do not hold a room open, and a
meeting of agents alone may run for days. It takes any 32-bit number of seconds; a week is the longest meeting we
promise, and the end of a room whose supervisor was killed before it could delete it."""

DEPARTURE_TIMEOUT_S = EMPTY_TIMEOUT_S
"""How long a room outlives its last person, agents or not; the server's default is 20 s."""

REQUEST_TIMEOUT_S = 10.0
"""Runs out on a server that is reachable and does not answer; a far one answers in under a second."""


class ParticipantKind(StrEnum):
    """LiveKit's kinds of participant."""

    STANDARD = "standard"
    AGENT = "agent"
    OTHER = "other"
    """Ingress, egress, telephone and what later servers bring."""


class TrackSource(StrEnum):
    """What a track shows or lets hear, as its publisher says."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TrackInfo:
    """One published track."""

    sid: str
    source: TrackSource
    muted: bool


@dataclass(frozen=True, slots=True)
class ParticipantInfo:
    """One participant as the server lists it."""

    identity: str
    name: str
    kind: ParticipantKind
    active: bool
    """Connected with media flowing both ways possible; False while joining or leaving."""
    attributes: Mapping[str, str]
    publishes: frozenset[MediaKind]
    joined_at: float = 0.0
    """Unix time, seconds."""
    tracks: tuple[TrackInfo, ...] = ()

    @property
    def role(self) -> str | None:
        """`chair` or `agent` as its token says, None for a person."""
        return self.attributes.get(ROLE_ATTRIBUTE)

    @property
    def seat(self) -> str:
        """The seat of an agent or a chair; a person's identity."""
        return seat_of(self.identity, self.attributes, is_agent=self.kind is ParticipantKind.AGENT)


class Rooms:
    """The rooms of one LiveKit server. Every failure is a LiveKitError with a hint."""

    def __init__(self, credentials: LiveKitCredentials, *, timeout: float = REQUEST_TIMEOUT_S) -> None:
        self._credentials = credentials
        self._timeout = timeout
        self._api: api.LiveKitAPI | None = None
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        from livekit import api

        url = urlsplit(self._credentials.url)
        if url.scheme not in ("ws", "wss", "http", "https") or not url.hostname:
            raise LiveKitError(
                f"{self._credentials.url!r} is not the address of a LiveKit server",
                hint="write it as wss://HOST or ws://HOST:PORT",
            )
        pair = key_pair(self._credentials)
        self._http = session_for(self._credentials.url, self._timeout)
        self._api = api.LiveKitAPI(self._credentials.url, *pair, session=self._http)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = self._api = None

    async def create(
        self, room: str, *, metadata: str | None = None, lasts_s: int = EMPTY_TIMEOUT_S, most: int = 0
    ) -> bool:
        """Makes the room and returns True, or returns False and leaves it as it is where there is one already.

        Args:
            lasts_s: how long it waits for its first person, and outlives its last one.
            most: participants at once; 0 = any number.
        """
        from livekit import api

        if await self.exists(room):  # CreateRoom would change the timeouts and metadata of somebody else's room
            return False
        request = api.CreateRoomRequest(
            name=room,
            empty_timeout=lasts_s,
            departure_timeout=lasts_s,
            max_participants=most,
            metadata=metadata or "",
            sync_streams=True,  # else no receiver knows that a face and its voice belong together
        )
        async with self._translating(f"creating room {room!r}"):
            await self._service.create_room(request)
        return True

    async def delete(self, room: str) -> bool:
        """Ends the room and disconnects everybody in it; returns False where there was none."""
        from livekit import api

        async with self._translating(f"deleting room {room!r}"):
            return await _found(self._service.delete_room(api.DeleteRoomRequest(room=room)))

    async def exists(self, room: str) -> bool:
        from livekit import api

        async with self._translating(f"looking for room {room!r}"):
            answer = await self._service.list_rooms(api.ListRoomsRequest(names=[room]))
        return any(found.name == room for found in answer.rooms)

    async def participants(self, room: str) -> tuple[ParticipantInfo, ...]:
        """Returns who is in the room, the earliest first; nobody where there is no such room."""
        from livekit import api

        async with self._translating(f"listing the participants of room {room!r}"):
            try:
                answer = await self._service.list_participants(api.ListParticipantsRequest(room=room))
            except api.ServerError as error:
                if error.code == api.ServerErrorCode.NOT_FOUND:
                    return ()
                raise
        present = sorted(answer.participants, key=lambda participant: participant.joined_at_ms)
        return tuple(_participant(participant) for participant in present)

    async def remove(self, room: str, identity: str) -> bool:
        """Puts the participant out of the room; returns False where there is none of that identity."""
        from livekit import api

        request = api.RoomParticipantIdentity(room=room, identity=identity)
        async with self._translating(f"removing {identity!r} from room {room!r}"):
            return await _found(self._service.remove_participant(request))

    async def mute(self, room: str, identity: str, track_sid: str) -> bool:
        """Mutes a participant's track; returns False where there is none of that kind.

        The server would not unmute one: who is muted switches their own microphone on again.
        """
        from livekit import api

        request = api.MuteRoomTrackRequest(room=room, identity=identity, track_sid=track_sid, muted=True)
        async with self._translating(f"muting {identity!r} in room {room!r}"):
            return await _found(self._service.mute_published_track(request))

    async def tell(self, room: str, identity: str, topic: str) -> None:
        """Sends one participant an empty message on that topic; it says of nobody that they sent it.

        A message that a participant sends always names that participant, so nobody but a server can send one like it.
        """
        from livekit import api

        request = api.SendDataRequest(
            room=room, kind=api.DataPacket.Kind.RELIABLE, destination_identities=[identity], topic=topic
        )
        async with self._translating(f"telling {identity!r} in room {room!r}"):
            await self._service.send_data(request)

    @property
    def _service(self) -> RoomService:
        if self._api is None:
            raise RuntimeError("Rooms is used outside its `async with`")
        return self._api.room

    def _translating(self, doing: str) -> AbstractAsyncContextManager[None]:
        return translated(doing, self._credentials, self._timeout)


async def _found(request: Awaitable[object]) -> bool:
    """Awaits a request and returns False where the server knows no such thing."""
    from livekit import api

    try:
        await request
    except api.ServerError as error:
        if error.code == api.ServerErrorCode.NOT_FOUND:
            return False
        raise
    return True


def _participant(info: api.ParticipantInfo) -> ParticipantInfo:
    from livekit import api

    kinds = {
        api.ParticipantInfo.Kind.STANDARD: ParticipantKind.STANDARD,
        api.ParticipantInfo.Kind.AGENT: ParticipantKind.AGENT,
    }
    sources = {
        api.TrackSource.MICROPHONE: TrackSource.MICROPHONE,
        api.TrackSource.CAMERA: TrackSource.CAMERA,
        api.TrackSource.SCREEN_SHARE: TrackSource.SCREEN,
    }
    media = {api.TrackType.AUDIO: MediaKind.AUDIO, api.TrackType.VIDEO: MediaKind.VIDEO}
    return ParticipantInfo(
        identity=info.identity,
        name=info.name,
        kind=kinds.get(info.kind, ParticipantKind.OTHER),
        active=info.state == api.ParticipantInfo.State.ACTIVE,
        attributes=MappingProxyType(dict(info.attributes)),
        publishes=frozenset(media[track.type] for track in info.tracks if track.type in media),
        joined_at=info.joined_at_ms / 1000 or float(info.joined_at),
        tracks=tuple(
            TrackInfo(track.sid, sources.get(track.source, TrackSource.OTHER), track.muted) for track in info.tracks
        ),
    )
