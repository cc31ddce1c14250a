"""Who in a room is in which seat, and who is in a seat now. Questions about participants; decides nothing."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.types import ATTRIBUTE_PUBLISH_ON_BEHALF

from meetctl.protocol import seating


def seat_of(participant: rtc.Participant) -> str:
    """Returns the seat of an agent or a chair; a person's identity."""
    is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return seating.seat_of(participant.identity, participant.attributes, is_agent=is_agent)


def seat_of_identity(room: rtc.Room, identity: str) -> str:
    """Returns the seat of the participant of that identity; the identity, where nobody is there of that name."""
    participant = room.remote_participants.get(identity)
    return identity if participant is None else seat_of(participant)


def seat_of_face(room: rtc.Room, participant: rtc.Participant) -> str | None:
    """Returns the seat of the agent for which this face joined by itself, None where it is no such face."""
    is_agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    agent = participant.attributes.get(ATTRIBUTE_PUBLISH_ON_BEHALF)
    return seat_of_identity(room, agent) if is_agent and agent else None


def participant_in(room: rtc.Room, seat: str) -> rtc.RemoteParticipant | None:
    """Returns who is in the seat: of several, one of them a ghost, the latest job."""
    there = [one for one in room.remote_participants.values() if seat_of(one) == seat]
    return max(there, key=lambda one: seating.job_of(one.identity), default=None)
