"""The ear of a rehearsal: hears every agent, reads every caption, sees every agent's state; reports what it measured.

It is a participant of its own, of kind agent: no person, so that nobody answers it, and always there, so that nothing
depends on which of the scripted people are.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from livekit import rtc

from meetctl.protocol import SOURCE_ATTRIBUTE
from meetctl.protocol.rehearsal import Captioned, Fact, Heard, Script

from ..process.tasks import begin
from ..room.captions import TOPIC
from ..room.joining import LISTENING, leave
from ..room.seating import participant_in, seat_of
from .loudness import FrameClock, SoundSegmenter, loudness
from .pace import BUSY, Hearing

SAMPLE_RATE = 16_000
FRAME_MS = 20
"""As exact as anything here is; half the work of 10."""
STATE = "lk.agent.state"
LATE_S = 0.5
"""By so much this process may be behind in reading frames; an agent of which none come for longer has no voice."""
SEGMENT, FINAL = "lk.segment_id", "lk.transcription_final"

logger = logging.getLogger(__name__)


class Ear:
    """Listens while entered; `clock` gives seconds since the play began."""

    def __init__(self, script: Script, report: Callable[[Fact], None], clock: Callable[[], float]) -> None:
        self._script = script
        self._report = report
        self._clock = clock
        self._stretches = {identity: SoundSegmenter() for identity in script.agents}
        self._begins: dict[str, list[float]] = {identity: [] for identity in script.agents}
        self._last_sound: dict[str, float] = {}
        self._busy_until = 0.0
        self._understood: dict[str, float] = {}
        self._listeners: dict[str, asyncio.Task[None]] = {}
        self._readers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._room = rtc.Room()
        self._room.on("track_published", self._on_published)
        self._room.on("track_subscribed", self._on_subscribed)
        self._room.on("track_unsubscribed", self._on_unsubscribed)
        self._room.register_text_stream_handler(TOPIC, self._on_caption)
        token = self._script.ear.token.get_secret_value()
        await self._room.connect(self._script.url, token, LISTENING)
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_published(publication, participant)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._listeners.values(), *self._readers):
            task.cancel()
        await asyncio.gather(*self._listeners.values(), *self._readers, return_exceptions=True)
        await leave(self._room)

    def hearing(self, since: float, person: str | None) -> Hearing:
        """Returns what is known now; `since`: what counts as an answer begins after it, by whomever."""
        now = self._clock()
        for identity in self._stretches:
            self._close_if_over(identity, now)
        states = self._states()
        sounding = {
            identity: stretches.began for identity, stretches in self._stretches.items() if stretches.began is not None
        }
        if sounding or any(state in BUSY for state in states.values()):
            self._busy_until = now
        first = {
            identity: begun[0]
            for identity, times in self._begins.items()
            if (begun := [at for at in times if at >= since])
        }
        understood = self._understood.get(person, 0.0) if person is not None else 0.0
        return Hearing(
            sounding_since=sounding,
            last_sound=dict(self._last_sound),
            first_sound_after=first,
            states=states,
            busy_until=self._busy_until,
            understood_at=understood if understood > since else None,
        )

    def finish(self) -> None:
        """Reports what is still sounding."""
        for identity, stretches in self._stretches.items():
            if (stretch := stretches.finish()) is not None:
                self._report(Heard(identity=identity, began=stretch.began, ended=stretch.ended))

    async def wait_captions(self, timeout_s: float) -> None:
        """Waits until every caption that has begun is complete, but not for ever."""
        if self._readers:
            await asyncio.wait(set(self._readers), timeout=timeout_s)

    def _states(self) -> Mapping[str, str]:
        present = {identity: participant_in(self._room, identity) for identity in self._script.agents}
        return {
            identity: agent.attributes[STATE]
            for identity, agent in present.items()
            if agent is not None and STATE in agent.attributes
        }

    # --- sound ---

    def _on_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if seat_of(participant) in self._stretches and publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _on_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._end(publication.sid)
        if seat_of(participant) in self._stretches and track.kind == rtc.TrackKind.KIND_AUDIO:
            listening = asyncio.create_task(self._listen(track, seat_of(participant)))
            self._listeners[publication.sid] = listening

    def _on_unsubscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._end(publication.sid)

    def _end(self, sid: str) -> None:
        # A stream outlives its subscription and may then carry somebody else's sound.
        listener = self._listeners.pop(sid, None)
        if listener is not None:
            listener.cancel()

    async def _listen(self, track: rtc.Track, identity: str) -> None:
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS
        )
        try:
            timing = FrameClock()
            async for event in stream:
                duration = event.frame.duration
                self._hear(identity, loudness(bytes(event.frame.data)), timing.ended(self._clock(), duration), duration)
        finally:
            await stream.aclose()

    def _hear(self, identity: str, loud: float, now: float, duration: float) -> None:
        stretches = self._stretches[identity]
        was_silent = stretches.began is None
        over = stretches.feed(loud, now, duration)
        if was_silent and stretches.began is not None:
            self._begins[identity].append(stretches.began)
        if over is not None:
            self._last_sound[identity] = over.ended
            self._report(Heard(identity=identity, began=over.began, ended=over.ended))

    def _close_if_over(self, identity: str, now: float) -> None:
        # Frames of an agent that died do not come any more, not even silent ones.
        over = self._stretches[identity].pause(now - LATE_S)
        if over is not None:
            self._last_sound[identity] = over.ended
            self._report(Heard(identity=identity, began=over.began, ended=over.ended))

    # --- words ---

    def _on_caption(self, reader: rtc.TextStreamReader, identity: str) -> None:
        task = begin(self._read(reader, identity, self._clock()), f"caption-{identity}")
        self._readers.add(task)
        task.add_done_callback(self._readers.discard)

    async def _read(self, reader: rtc.TextStreamReader, identity: str, began: float) -> None:
        pieces: list[str] = []
        try:
            async for piece in reader:
                pieces.append(piece)  # noqa: PERF401 (one at a time: what came before a break stays)
        except Exception as error:  # whoever was speaking has left; what was read is what was shown
            logger.info("a caption of %s broke off: %s", identity, error)
        attributes = reader.info.attributes or {}
        is_final = attributes.get(FINAL) == "true"
        if attributes.get(SOURCE_ATTRIBUTE) == "chair" and is_final:
            self._understood[identity] = self._clock()
        text = "".join(pieces).strip()
        segment = attributes.get(SEGMENT) or reader.info.stream_id
        if text:
            self._report(Captioned(identity=identity, segment=segment, text=text, began=began))


def play_clock() -> Callable[[], float]:
    """Returns a clock that starts now."""
    start = time.monotonic()
    return lambda: time.monotonic() - start
