"""What the page and a host say about people: words checked by shape where they come in. Values only."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from meetctl.protocol import IceState
from meetctl.status.document import PersonStatus

HELD_ELSEWHERE = (
    "nothing of meetctl's stands before it, so whoever was removed, or whose link was taken back, can come in by a"
    " token that they hold still. Their page lets them in no more, and whoever comes back is removed again within"
    " seconds"
)
"""What can be held of people where the LiveKit server is somebody else's."""

DEVICE = r"[A-Za-z0-9_-]{16,64}"
"""A secret that a browser makes for itself and shows to nobody but the meeting's own server."""

UNMUTE_TOPIC = "mc.ask-unmute"
"""Of the message that asks somebody's page to ask them."""

DeviceSecret = Annotated[str, Field(pattern=f"^{DEVICE}$")]


class Invited(BaseModel):
    """What the page sends with every request of somebody who has a link."""

    invite: str
    device: DeviceSecret | None = None


class Manage(StrEnum):
    """One thing that a host does with people; the words of the command line too."""

    KICK = "kick"
    """That person goes and does not come back."""
    MUTE = "mute"
    """That person's microphone is off, until they switch it on themselves."""
    ASK_UNMUTE = "ask_unmute"
    """That person's page asks them to; nobody else switches a microphone on."""
    LOCK = "lock"
    """Nobody new comes in."""
    UNLOCK = "unlock"
    END = "end"
    """For everyone."""

    @property
    def has_person(self) -> bool:
        return self in (Manage.KICK, Manage.MUTE, Manage.ASK_UNMUTE)


class ManageRequest(Invited):
    """What the page sends for a host."""

    do: Manage
    person: str = ""
    """Identity or name."""


class ConnectionReport(BaseModel):
    """What a page says of its own connection: a claim, so it is bounded and shown as one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ice: IceState
    path: Literal["udp", "tcp", "relay-udp", "relay-tls"] | None = None
    loss: float | None = Field(None, ge=0, le=1)
    """Of what it should have received, since its last report."""
    rtt_ms: float | None = Field(None, ge=0, le=60_000)


class ReportRequest(Invited):
    """What the page sends every few seconds."""

    device: DeviceSecret
    identity: str
    connection: ConnectionReport


class PeopleDesk(Protocol):
    """What the page's server asks of the meeting about people."""

    @property
    def locked(self) -> bool: ...

    def keeps_out_device(self, device: str | None) -> bool:
        """Returns whether whoever uses this browser was removed."""
        ...

    def knows_device(self, device: str | None) -> bool:
        """Returns whether whoever uses this browser has been in the meeting."""
        ...

    def report(self, device: str, identity: str, connection: ConnectionReport) -> bool:
        """Notes what a page says; returns whether that person joined from this browser."""
        ...

    async def manage(self, do: Manage, person: str) -> object:
        """Does what a host asks; raises MeetctlError where it cannot be."""
        ...

    def people(self) -> tuple[PersonStatus, ...]: ...
