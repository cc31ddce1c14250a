"""The links of one meeting: one for each role, and personal ones that fix a name. Who opens them, and until when.

A link is told from its invite alone. What is wrong, used up, run out or taken back learns nothing of the meeting.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr

from meetctl.web.invites import INVITE_BYTES, Comer, Invites, Role

MOST_PERSONAL = 1000
"""Links of a meeting that are good at once."""


class NotGood(StrEnum):
    """Why a link does not let anybody in."""

    WRONG = "wrong_invite"
    EXPIRED = "link_expired"
    USED = "link_used"


@dataclass(slots=True)
class _Personal:
    name: str
    role: Role
    secret: bytes
    expires_at: float | None
    """By the clock of the links."""
    once: bool
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    device: str | None = None
    """Secret of the first browser that joined by it."""


class Links:
    """Gives links out and takes them back.

    Args:
        invites: of the standing links.
        clock: monotonic seconds.
    """

    def __init__(self, invites: Invites, clock: Callable[[], float] = time.monotonic) -> None:
        self.invites = invites
        self._clock = clock
        self._personal: list[_Personal] = []
        self._generation = 0

    def personal(self, name: str, role: Role, *, expires_s: float | None = None, once: bool = False) -> SecretStr:
        """Returns the invite of a new link for this person.

        Args:
            name: clean.
            expires_s: from now; None = with the meeting.
            once: for the first browser that joins by it.
        """
        invite = secrets.token_urlsafe(INVITE_BYTES)
        expires_at = None if expires_s is None else self._clock() + expires_s
        self._personal.append(_Personal(name, role, invite.encode(), expires_at, once))
        del self._personal[:-MOST_PERSONAL]
        return SecretStr(invite)

    def comer(self, invite: str, device: str | None) -> Comer | NotGood:
        """Returns as what somebody with this invite comes in; takes the same time for every wrong one."""
        role = self.invites.role_of(invite)
        given = invite.encode(errors="replace")
        found = [link for link in self._personal if hmac.compare_digest(link.secret, given)]
        if role is not None:
            return Comer(role, device, link=self._standing(role))
        if not found:
            return NotGood.WRONG
        (link,) = found
        if link.expires_at is not None and self._clock() >= link.expires_at:
            return NotGood.EXPIRED
        if link.once and link.device is not None and link.device != device:
            return NotGood.USED
        return Comer(link.role, device, link.name, link.id)

    def use(self, comer: Comer) -> bool:
        """Notes that somebody joins; returns whether they may: a link for one browser has to know it again."""
        for link in self._personal:
            if link.id == comer.link and link.once:
                if comer.device is None:
                    return False
                link.device = link.device or comer.device
        return True

    def revoke(self, name: str) -> frozenset[str]:
        """Takes back the personal links of that name, case aside; returns their ids."""
        return self._take_back({link.id for link in self._personal if link.name.casefold() == name.casefold()})

    def revoke_id(self, link: str) -> frozenset[str]:
        """Takes back one personal link; returns its id, and none where it is a standing link or gone."""
        return self._take_back({link})

    def revoke_all(self) -> frozenset[str]:
        """Takes back every link and makes new standing ones; returns the ids of the old ones."""
        ids = {link.id for link in self._personal} | {self._standing(role) for role in Role}
        self._personal = []
        self._generation += 1
        self.invites = Invites.create()
        return frozenset(ids)

    def _standing(self, role: Role) -> str:
        return f"{role.value}-{self._generation}"

    def _take_back(self, ids: set[str]) -> frozenset[str]:
        taken = frozenset(link.id for link in self._personal if link.id in ids)
        self._personal = [link for link in self._personal if link.id not in taken]
        return taken
