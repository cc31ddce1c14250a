"""Who may come in: the two invites of a meeting and what a person gets for one. Values only; `server.py` serves them.

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


@dataclass(frozen=True, slots=True)
class Invites:
    """The two invites of one meeting."""

    guest: SecretStr
    host: SecretStr

    @classmethod
    def create(cls) -> Invites:
        """Returns two new invites."""
        return cls(SecretStr(secrets.token_urlsafe(INVITE_BYTES)), SecretStr(secrets.token_urlsafe(INVITE_BYTES)))

    def of(self, role: Role) -> SecretStr:
        """Returns the invite that gives this role."""
        return self.host if role is Role.HOST else self.guest

    def role_of(self, invite: str) -> Role | None:
        """Returns the role that the invite gives, None for a wrong one; takes the same time for every wrong one."""
        given = invite.encode(errors="replace")
        found = [role for role in Role if hmac.compare_digest(self.of(role).get_secret_value().encode(), given)]
        return found[0] if found else None


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
