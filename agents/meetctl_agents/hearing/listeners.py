"""The chair's ears: a listener for each person, at one microphone, and not more than it can bear. Decides nothing else.

Only microphones of people are subscribed to, never an agent's; of one person's the newest, and in a meeting of very
many those that came first. A listener belongs to a publication, not to a person: a stream outlives the subscription it
was made for, and the server may give its place to somebody else's microphone, so the listener and its stream are ended
the moment the subscription is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from livekit import rtc
from livekit.agents import vad
from livekit.agents.metrics import VADMetrics

from ..models.speech_faults import SpeechFaults
from ..process.tasks import Tasks
from ..room.attendance import display_name
from ..room.events import RoomEvents
from .listener import Listener, OnHeard, Transcriber
from .preconnect_audio import ask_for_preconnect_audio
from .voice_activity import SAMPLE_RATE

MOST = 24
"""Microphones. A silent one costs 2 to 3 % of a busy core, nearly all of it the library's, and one into which somebody
talks half as much again."""
FEWEST = 6
"""Microphones that a chair hears that cannot keep up: fewer would help nobody."""
LATE_S = 0.2
"""What a look at 32 ms of sound takes on average where the machine cannot keep up; else it is a millisecond."""
RELIEF_S = 30.0
"""Without being late, until more are heard again."""
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Pauses before a microphone that failed is listened to again; the last one from then on."""
LATE = "the chair cannot keep up"
MICROPHONES = (rtc.TrackSource.SOURCE_MICROPHONE, rtc.TrackSource.SOURCE_UNKNOWN)
"""What a track of a voice may be called; the sound of a shared screen is somebody else's."""

LeftOut = Callable[[rtc.RemoteParticipant, int], None]
"""Told of each person who is not heard, and how many are."""

logger = logging.getLogger(__name__)


class MicrophoneListeners:
    """Listens to the microphones of those for whom `is_person` holds; async context manager around all listeners."""

    def __init__(
        self,
        room: rtc.Room,
        detector: vad.VAD,
        transcriber: Transcriber,
        heard: OnHeard,
        is_person: Callable[[rtc.Participant], bool],
        left_out: LeftOut,
        faults: SpeechFaults,
    ) -> None:
        self._room = room
        self._detector = detector
        self._transcriber = transcriber
        self._heard = heard
        self._is_person = is_person
        self._left_out = left_out
        self._faults = faults
        self._most = MOST
        self._relief: asyncio.TimerHandle | None = None
        self._wanted: dict[str, str] = {}
        """The track sid that is heard, by identity, in the order in which they came."""
        self._waiting: dict[str, None] = {}
        self._listeners: dict[str, asyncio.Task[None]] = {}
        self._tasks = Tasks()
        self._events = RoomEvents(
            room,
            track_published=lambda _, participant: self._choose(participant),
            track_subscribed=self._on_subscribed,
            track_unsubscribed=lambda _, publication, __: self._end(publication.sid),
            track_unpublished=lambda _, participant: self._choose(participant),
            participant_disconnected=self._on_left,
        )

    async def __aenter__(self) -> Self:
        self._detector.on("metrics_collected", self._on_metrics)
        self._events.attach()
        self.look_around()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._detector.off("metrics_collected", self._on_metrics)
        self._events.detach()
        if self._relief is not None:
            self._relief.cancel()
        await self._tasks.aclose()

    def look_around(self) -> None:
        """Subscribes to the microphones of the people who are here, and lets go of those who turned out to be none."""
        for participant in self._room.remote_participants.values():
            self._choose(participant)

    # --- whom to hear ---

    def _choose(self, participant: rtc.RemoteParticipant) -> None:
        """Hears the person's newest microphone, if there is one, and room."""
        identity = participant.identity
        heard = self._wanted.get(identity)
        newest = _newest_microphone(participant) if self._is_person(participant) else None
        if newest is None:
            self._waiting.pop(identity, None)
            self._let_go(identity)
            self._fill()
        elif heard is None and len(self._wanted) >= self._most:
            self._leave_out(participant)
        elif heard != newest.sid:
            self._let_go(identity)
            self._waiting.pop(identity, None)
            self._wanted[identity] = newest.sid
            newest.set_subscribed(True)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        self._waiting.pop(participant.identity, None)
        self._let_go(participant.identity)
        self._fill()

    def _leave_out(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity not in self._waiting:
            self._waiting[participant.identity] = None
            self._left_out(participant, self._most)

    def _fill(self) -> None:
        for identity in list(self._waiting):
            participant = self._room.remote_participants.get(identity)
            if participant is not None and len(self._wanted) < self._most:
                self._choose(participant)

    def _let_go(self, identity: str) -> None:
        sid = self._wanted.pop(identity, None)
        if sid is None:
            return
        self._end(sid)
        participant = self._room.remote_participants.get(identity)
        publication = participant.track_publications.get(sid) if participant is not None else None
        if publication is not None:
            publication.set_subscribed(False)

    # --- hearing them ---

    def _on_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if not _is_microphone(publication) or not self._is_person(participant):
            return
        if self._wanted.get(participant.identity) != publication.sid:
            publication.set_subscribed(False)  # a newer one came meanwhile
            return
        self._end(publication.sid)
        work = self._listen(track, publication.sid, participant)
        self._listeners[publication.sid] = self._tasks.own(work, f"listener-{participant.identity}")

    async def _listen(self, track: rtc.Track, sid: str, participant: rtc.RemoteParticipant) -> None:
        """Listens until cancelled; begins again, after a while, where that fails."""
        ask = partial(ask_for_preconnect_audio, self._room, participant, sid, SAMPLE_RATE)
        failures = 0
        while True:
            listener = Listener(self._detector, self._transcriber, self._heard, participant, sid, ask)
            try:
                await listener.listen(track)
            except Exception as error:
                logger.exception("the microphone of %r fails", participant.identity)
                what = f"the microphone of {display_name(participant)!r} cannot be heard"
                self._faults.warn(what, error, hint="it is tried again; ask them to switch it off and on")
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    def _end(self, sid: str) -> None:
        listener = self._listeners.pop(sid, None)
        if listener is not None:
            listener.cancel()

    # --- bearing it ---

    def _on_metrics(self, metrics: VADMetrics) -> None:
        if metrics.inference_duration_total < LATE_S * metrics.inference_count:
            return
        here = len(self._wanted)
        hint = "this machine has too much to do, or too many people have a microphone"
        self._faults.warn(LATE, f"it hears {here} microphones, and late", hint=hint)
        self._most = max(FEWEST, min(self._most, here) // 2)
        for identity in list(self._wanted)[self._most :]:
            self._let_go(identity)
            participant = self._room.remote_participants.get(identity)
            if participant is not None:
                self._leave_out(participant)
        if self._relief is not None:
            self._relief.cancel()
        self._relief = asyncio.get_running_loop().call_later(RELIEF_S, self._relieve)

    def _relieve(self) -> None:
        self._faults.works(LATE)
        self._most = min(MOST, 2 * self._most)
        self._fill()
        again = self._most < MOST
        self._relief = asyncio.get_running_loop().call_later(RELIEF_S, self._relieve) if again else None


def _newest_microphone(participant: rtc.RemoteParticipant) -> rtc.RemoteTrackPublication | None:
    publications = participant.track_publications.values()
    microphones = [each for each in publications if _is_microphone(each)]
    named = [each for each in microphones if each.source == rtc.TrackSource.SOURCE_MICROPHONE]
    return next(reversed(named or microphones), None)


def _is_microphone(publication: rtc.RemoteTrackPublication) -> bool:
    """Returns whether somebody may be speaking there: programs publish a voice without saying what it is."""
    return publication.kind == rtc.TrackKind.KIND_AUDIO and publication.source in MICROPHONES
