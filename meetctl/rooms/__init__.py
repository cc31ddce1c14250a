"""The only door to livekit-api: rooms and who is in them, tokens, and links made of them.

It speaks as the holder of the API secret and never joins a room. livekit-api costs 0.1 to 0.6 s and 15 MB to import,
so that happens inside the functions that need it.
"""

from __future__ import annotations

from meetctl.rooms.service import ParticipantInfo, ParticipantKind, Rooms, TrackInfo, TrackSource
from meetctl.rooms.tokens import (
    TOKEN_TTL,
    admin_token,
    agent_token,
    avatar_token,
    chair_token,
    guest_token,
    link_token,
    meet_link,
    observer_token,
    trial_token,
)

__all__ = [
    "TOKEN_TTL",
    "ParticipantInfo",
    "ParticipantKind",
    "Rooms",
    "TrackInfo",
    "TrackSource",
    "admin_token",
    "agent_token",
    "avatar_token",
    "chair_token",
    "guest_token",
    "link_token",
    "meet_link",
    "observer_token",
    "trial_token",
]
