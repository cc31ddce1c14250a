"""Where the programs of a meeting are going: the room, their way into it, and the local servers. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

CHAIR_IDENTITY = "chair"
CHAIR_NAME = "Chair"


@dataclass(frozen=True, slots=True)
class StandIns:
    """Where the local servers answer; None where the roster needs none."""

    models_url: str | None
    simli_url: str | None


@dataclass(frozen=True, slots=True)
class RoomAccess:
    """Where an agent is going."""

    room: str
    livekit_url: str
    token: SecretStr
    chair_identity: str | None
    topic: str | None
    language: str | None = None
    register_with_chair: bool = False
    avatar_token: SecretStr | None = None
    """Of an avatar that joins by itself."""
