"""People's words on screen: LiveKit's own transcription topic, in the speaker's name and marked as the chair's."""

from __future__ import annotations

import logging
import uuid

from livekit import rtc

from meetctl.protocol import SOURCE_ATTRIBUTE

from ..process.tasks import Tasks

TOPIC = "lk.transcription"

logger = logging.getLogger(__name__)


class Captions:
    """Shows what each person says, and corrects it until it is final; ended by `aclose`."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._segments: dict[str, str] = {}
        self._showing = Tasks()

    def show(self, *, identity: str, track_sid: str, text: str, final: bool) -> None:
        """Shows the words; those that are not final are replaced by what is shown of the same person next."""
        segment = self._segments.setdefault(identity, f"SG_{uuid.uuid4().hex[:12]}")
        if final:
            del self._segments[identity]
        work = _publish(self._room, identity=identity, track_sid=track_sid, segment=segment, text=text, final=final)
        self._showing.own(work, "caption")

    def forget(self, identity: str) -> None:
        """Forgets a person who left."""
        self._segments.pop(identity, None)

    async def aclose(self) -> None:
        await self._showing.aclose()


async def _publish(room: rtc.Room, *, identity: str, track_sid: str, segment: str, text: str, final: bool) -> None:
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
