"""Who in the room is a person. Pure questions about participants; decides nothing."""

from __future__ import annotations

from collections.abc import Collection

from livekit import rtc

from .seating import seat_of

HUMAN_KINDS = (rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD, rtc.ParticipantKind.PARTICIPANT_KIND_SIP)
"""Somebody with an app or a telephone. Agents, recorders and streams are none."""


def is_human(participant: rtc.Participant, agents: Collection[str]) -> bool:
    """Returns whether it is a person; `agents` are seats known better (a `command:` may join as anything)."""
    return participant.kind in HUMAN_KINDS and seat_of(participant) not in agents


def display_name(participant: rtc.Participant) -> str:
    """Returns what people read."""
    return participant.name or participant.identity
