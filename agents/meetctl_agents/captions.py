"""People's words on screen: LiveKit's own transcription topic, in the speaker's name and marked as the chair's."""

from __future__ import annotations

import logging
import uuid

from livekit import rtc

from meetctl.protocol import SOURCE_ATTRIBUTE

TOPIC = "lk.transcription"

logger = logging.getLogger(__name__)


async def publish_caption(room: rtc.Room, *, identity: str, track_sid: str, text: str) -> None:
    """Sends the words to everybody as one finished segment; a failure costs a caption, not the meeting."""
    attributes = {
        "lk.segment_id": f"SG_{uuid.uuid4().hex[:12]}",
        "lk.transcription_final": "true",
        "lk.transcribed_track_id": track_sid,
        SOURCE_ATTRIBUTE: "chair",
    }
    try:
        writer = await room.local_participant.stream_text(topic=TOPIC, attributes=attributes, sender_identity=identity)
        await writer.write(text)
        await writer.aclose()
    except Exception:
        logger.warning("could not publish a caption", exc_info=True)
