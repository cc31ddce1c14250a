"""What lets somebody into a room: access tokens with the least grants, and the link made of one. No I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import SecretStr

from meetctl.errors import LiveKitError
from meetctl.protocol import ROLE_ATTRIBUTE
from meetctl.protocol.seating import SEAT_ATTRIBUTE
from meetctl.settings import LiveKitCredentials

if TYPE_CHECKING:
    from livekit import api

TOKEN_TTL = timedelta(hours=6)
"""A token is for joining: the server renews it while its holder is connected."""

ADMIN_TTL = timedelta(days=8)
"""Nobody renews one that joins no room; the longest meeting we promise takes a week."""
BEHALF_ATTRIBUTE = "lk.publish_on_behalf"
"""LiveKit's word for whose face this is."""
GUEST_SOURCES = ("microphone", "camera", "screen_share", "screen_share_audio", "unknown")
"""`unknown` is what programs publish that say nothing of their track; a voice is heard from it."""


def agent_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for an agent: one room, its own state in its own attributes."""
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True)
    return _token(credentials, identity, name, ttl, grants, role="agent")


def avatar_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, agent: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for an avatar that joins by itself and publishes on behalf of the agent of that identity."""
    from livekit import api

    token = (
        api.AccessToken(*key_pair(credentials))
        .with_identity(identity)
        .with_name(name)
        .with_kind("agent")
        .with_ttl(ttl)
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .with_attributes({BEHALF_ATTRIBUTE: agent})
    )
    return SecretStr(token.to_jwt())


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


def observer_token(
    credentials: LiveKitCredentials, *, room: str, identity: str, name: str, ttl: timedelta = TOKEN_TTL
) -> SecretStr:
    """Returns a token for a person who hears and reads, and sends nothing at all."""
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, can_publish=False, can_publish_data=False, can_subscribe=True)
    return _token(credentials, identity, name, ttl, grants, role=None)


def link_token(credentials: LiveKitCredentials, *, room: str, identity: str, ttl: timedelta = TOKEN_TTL) -> SecretStr:
    """Returns a token for whoever controls an agent on another machine: unseen, it hears what that agent tells it."""
    from livekit import api

    grants = api.VideoGrants(room_join=True, room=room, hidden=True, can_publish=False, can_publish_data=False)
    return _token(credentials, identity, "", ttl, grants, role="controller")


def admin_token(credentials: LiveKitCredentials, *, room: str, ttl: timedelta = ADMIN_TTL) -> SecretStr:
    """Returns a token that places agents in one room and puts them out of it, and joins none."""
    from livekit import api

    grants = api.VideoGrants(room_admin=True, room=room)
    return SecretStr(api.AccessToken(*key_pair(credentials)).with_ttl(ttl).with_grants(grants).to_jwt())


def trial_token(credentials: LiveKitCredentials, *, room: str, identity: str, ttl: timedelta) -> SecretStr:
    """Returns a token for a visitor who tests their connection: in a room where they see and tell nobody anything."""
    from livekit import api

    grants = api.VideoGrants(
        room_join=True,
        room=room,
        hidden=True,
        can_publish=False,
        can_publish_data=False,
        can_subscribe=False,
        can_update_own_metadata=False,
    )
    return _token(credentials, identity, "", ttl, grants, role=None)


def meet_link(meet_url: str, livekit_url: str, token: SecretStr) -> str:
    """Returns the link by which a LiveKit Meet deployment joins any server; it holds the token in the clear."""
    query = urlencode({"liveKitUrl": livekit_url, "token": token.get_secret_value()})
    return f"{meet_url.rstrip('/')}/custom?{query}"


def api_token(credentials: LiveKitCredentials) -> SecretStr:
    """Returns a token that may only list rooms, good for asking the server whether it knows the key."""
    from livekit import api

    token = api.AccessToken(*key_pair(credentials)).with_grants(api.VideoGrants(room_list=True))
    return SecretStr(token.to_jwt())


def key_pair(credentials: LiveKitCredentials) -> tuple[str, str]:
    """Returns key and secret in the clear, neither of them empty."""
    secret = credentials.api_secret.get_secret_value()
    if not credentials.api_key or not secret:  # livekit-api would take LIVEKIT_API_KEY from the environment instead
        raise LiveKitError(
            f"the key pair of {credentials.url} is empty",
            hint="give api_key and api_secret under `livekit:` in the roster",
        )
    return credentials.api_key, secret


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
        api.AccessToken(*key_pair(credentials))
        .with_identity(identity)
        .with_name(name)
        .with_kind("standard" if role is None else "agent")
        .with_ttl(ttl)
        .with_grants(grants)
    )
    if role is not None:
        token = token.with_attributes({ROLE_ATTRIBUTE: role, SEAT_ATTRIBUTE: identity})
    return SecretStr(token.to_jwt())
