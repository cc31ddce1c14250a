"""Who may come in: the standing invites of a meeting and what a person gets for one. Values only.

An invite is a capability of 128 bits. It travels in a link's fragment and a request's body, and nowhere else.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

INVITE_BYTES = 16
"""128 bits: not to be guessed, and still a link that fits in a chat message."""


class Role(StrEnum):
    """What an invite makes of a person."""

    GUEST = "guest"
    HOST = "host"
    OBSERVER = "observer"
    """Hears and reads, and can neither speak nor write."""


@dataclass(frozen=True, slots=True)
class Invites:
    """The standing invites of one meeting, one for each role."""

    guest: SecretStr
    host: SecretStr
    observer: SecretStr

    @classmethod
    def create(cls) -> Invites:
        """Returns new invites."""
        return cls(**{role.value: SecretStr(secrets.token_urlsafe(INVITE_BYTES)) for role in Role})

    def of(self, role: Role) -> SecretStr:
        """Returns the invite that gives this role."""
        match role:
            case Role.GUEST:
                return self.guest
            case Role.HOST:
                return self.host
            case Role.OBSERVER:
                return self.observer

    def role_of(self, invite: str) -> Role | None:
        """Returns the role that the invite gives, None for a wrong one; takes the same time for every wrong one."""
        given = invite.encode(errors="replace")
        found = [role for role in Role if hmac.compare_digest(self.of(role).get_secret_value().encode(), given)]
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Comer:
    """Somebody who may come in, and as what."""

    role: Role
    device: str | None = None
    """Secret of their browser; None for a program."""
    name: str | None = None
    """What their link calls them; None = they say it themselves."""
    link: str | None = None
    """Which link they came by: no secret, and good for nothing but taking it back."""


@dataclass(frozen=True, slots=True)
class ConnectionDetails:
    """What the page needs to join the room as one person."""

    livekit_url: str
    """`ws://` or `wss://`, as the browser reaches it."""
    token: SecretStr
    """LiveKit access token of this person alone."""
    identity: str
    name: str
    """Display name."""
    room: str
