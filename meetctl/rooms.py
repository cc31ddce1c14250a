"""The only door to livekit-api: rooms and who is in them, tokens, and links made of them.

It speaks as the holder of the API secret and never joins a room. livekit-api costs 0.1 to 0.6 s and 15 MB to import,
so that happens inside the functions that need it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from meetctl.errors import LiveKitError
from meetctl.protocol import ROLE_ATTRIBUTE, MediaKind
from meetctl.settings import LiveKitCredentials

if TYPE_CHECKING:
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

TOKEN_TTL = timedelta(hours=6)
"""A token is for joining: the server renews it while its holder is connected."""

GUEST_SOURCES = ("microphone", "camera", "screen_share", "screen_share_audio")


class ParticipantKind(StrEnum):
    """LiveKit's kinds of participant."""

    STANDARD = "standard"
    AGENT = "agent"
    OTHER = "other"
    """Ingress, egress, telephone and what later servers bring."""


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

    @property
    def role(self) -> str | None:
        """`chair` or `agent` as its token says, None for a person."""
        return self.attributes.get(ROLE_ATTRIBUTE)


def agent_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for an agent: one room, its own state in its own attributes."""
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
    return _token(credentials, identity, name, ttl, grants, role="agent")


def chair_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for the chair: it hears and writes, and has nothing to show."""
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, can_publish=False)
    return _token(credentials, identity, name, ttl, grants, role="chair")


def guest_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for a person, who may not change attributes: they say who is chair and who is an agent."""
    from livekit import api

    grants = api.VideoGrants(
        room_join=True, room=room, can_publish_sources=list(GUEST_SOURCES), can_update_own_metadata=False
    )
    return _token(credentials, identity, name, ttl, grants, role=None)


def meet_link(meet_url: str, livekit_url: str, token: SecretStr) -> str:
    """Returns the link by which a LiveKit Meet deployment joins any server; it holds the token in the clear."""
    query = urlencode({"liveKitUrl": livekit_url, "token": token.get_secret_value()})
    return f"{meet_url.rstrip('/')}/custom?{query}"


class Rooms:
    """The rooms of one LiveKit server. Every failure is a LiveKitError with a hint."""

    def __init__(self, credentials: LiveKitCredentials, *, timeout: float = REQUEST_TIMEOUT_S) -> None:
        self._credentials = credentials
        self._timeout = timeout
        self._api: api.LiveKitAPI | None = None

    async def __aenter__(self) -> Self:
        import aiohttp
        from livekit import api

        url = urlsplit(self._credentials.url)
        if url.scheme not in ("ws", "wss", "http", "https") or not url.hostname:
            raise LiveKitError(
                f"{self._credentials.url!r} is not the address of a LiveKit server",
                hint="write it as wss://HOST or ws://HOST:PORT",
            )
        self._api = api.LiveKitAPI(
            self._credentials.url,
            self._credentials.api_key,
            self._credentials.api_secret.get_secret_value(),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._api is not None:
            await self._api.aclose()
            self._api = None

    async def create(self, room: str, *, metadata: str | None = None) -> bool:
        """Makes the room and returns True, or returns False and leaves it as it is where there is one already."""
        from livekit import api

        if await self.exists(room):  # CreateRoom would change the timeouts and metadata of somebody else's room
            return False
        request = api.CreateRoomRequest(
            name=room,
            empty_timeout=EMPTY_TIMEOUT_S,
            departure_timeout=DEPARTURE_TIMEOUT_S,
            metadata=metadata or "",
        )
        with self._translated(f"creating room {room!r}"):
            await self._service.create_room(request)
        return True

    async def delete(self, room: str) -> bool:
        """Ends the room and disconnects everybody in it; returns False where there was none."""
        from livekit import api

        with self._translated(f"deleting room {room!r}"):
            return await _found(self._service.delete_room(api.DeleteRoomRequest(room=room)))

    async def exists(self, room: str) -> bool:
        from livekit import api

        with self._translated(f"looking for room {room!r}"):
            answer = await self._service.list_rooms(api.ListRoomsRequest(names=[room]))
        return any(found.name == room for found in answer.rooms)

    async def participants(self, room: str) -> tuple[ParticipantInfo, ...]:
        """Returns who is in the room, the earliest first; nobody where there is no such room."""
        from livekit import api

        with self._translated(f"listing the participants of room {room!r}"):
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
        with self._translated(f"removing {identity!r} from room {room!r}"):
            return await _found(self._service.remove_participant(request))

    @property
    def _service(self) -> RoomService:
        if self._api is None:
            raise RuntimeError("Rooms is used outside its `async with`")
        return self._api.room

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        import aiohttp
        from livekit import api

        try:
            yield
        except api.ServerError as error:
            raise _refused(doing, self._credentials, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(doing, self._credentials.url, error, self._timeout) from error


def _token(
    credentials: LiveKitCredentials,
    identity: str,
    name: str,
    ttl: timedelta,
    grants: api.VideoGrants,
    *,
    role: str | None,
) -> SecretStr:
    from livekit import api

    token = (
        api.AccessToken(*_key_pair(credentials))
        .with_identity(identity)
        .with_name(name)
        .with_kind("standard" if role is None else "agent")
        .with_ttl(ttl)
        .with_grants(grants)
    )
    if role is not None:
        token = token.with_attributes({ROLE_ATTRIBUTE: role})
    return SecretStr(token.to_jwt())


def _key_pair(credentials: LiveKitCredentials) -> tuple[str, str]:
    secret = credentials.api_secret.get_secret_value()
    if not credentials.api_key or not secret:  # livekit-api would take LIVEKIT_API_KEY from the environment instead
        raise LiveKitError(
            f"the key pair of {credentials.url} is empty",
            hint="give api_key and api_secret under `livekit:` in the roster",
        )
    return credentials.api_key, secret


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
    media = {api.TrackType.AUDIO: MediaKind.AUDIO, api.TrackType.VIDEO: MediaKind.VIDEO}
    return ParticipantInfo(
        identity=info.identity,
        name=info.name,
        kind=kinds.get(info.kind, ParticipantKind.OTHER),
        active=info.state == api.ParticipantInfo.State.ACTIVE,
        attributes=MappingProxyType(dict(info.attributes)),
        publishes=frozenset(media[track.type] for track in info.tracks if track.type in media),
    )


def _refused(doing: str, credentials: LiveKitCredentials, error: api.ServerError) -> LiveKitError:
    got = " ".join(part for part in (f"HTTP {error.status}", _code(error), error.message) if part)
    hint = None
    if error.status in (401, 403):
        # The server's own words are plain text, which livekit-api throws away, so all three causes are named.
        hint = (
            f"check that LIVEKIT_API_KEY ({credentials.api_key}) and LIVEKIT_API_SECRET belong to this server, "
            "and that this machine's clock is right (`date -u`)"
        )
    elif error.status == 404:
        hint = "this address answers but is not a LiveKit server: check the host, port and path of LIVEKIT_URL"
    return LiveKitError(f"{doing}: {credentials.url} refused: {got}", hint=hint)


def _code(error: api.ServerError) -> str:
    return "" if error.code == "unknown" else error.code


def _unreachable(doing: str, url: str, error: BaseException, timeout: float) -> LiveKitError:
    import aiohttp

    match error:
        case TimeoutError():
            got, hint = f"no answer within {timeout:g} s", "check that the server runs and no firewall is in between"
        case aiohttp.ClientConnectorDNSError():
            got, hint = "no such host", "check the host name in LIVEKIT_URL, and this machine's network"
        case aiohttp.ClientSSLError():
            got, hint = f"TLS failed: {error}", "use ws:// for a server without TLS, or mend its certificate"
        case aiohttp.ClientConnectorError():
            got = f"cannot connect: {error.os_error.strerror or error.os_error}"
            hint = "start the server, or check host and port in LIVEKIT_URL"
        case _:
            got, hint = str(error) or type(error).__name__, "check that this is the address of a LiveKit server"
    return LiveKitError(f"{doing}: {url}: {got}", hint=hint)
