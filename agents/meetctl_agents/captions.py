"""People's words on screen: LiveKit's own transcription topic, in the speaker's name and marked as the chair's."""

from __future__ import annotations

import logging

from livekit import rtc

from meetctl.protocol import SOURCE_ATTRIBUTE

TOPIC = "lk.transcription"

logger = logging.getLogger(__name__)


async def publish_caption(
    room: rtc.Room, *, identity: str, track_sid: str, segment: str, text: str, final: bool
) -> None:
    """Sends the words to everybody; a failure costs a caption, not the meeting.

    Args:
        segment: of one stretch of speech; a later caption of the same segment takes the earlier one's place.
        final: False while the words may yet change.
    """
    attributes = {
        "lk.segment_id": segment,
        "lk.transcription_final": "true" if final else "false",
        "lk.transcribed_track_id": track_sid,
        SOURCE_ATTRIBUTE: "chair",
    }
    try:
        writer = await room.local_participant.stream_text(topic=TOPIC, attributes=attributes, sender_identity=identity)
        await writer.write(text)
        await writer.aclose()
    except Exception:
        logger.warning("could not publish a caption", exc_info=True)
