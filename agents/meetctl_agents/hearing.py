"""The chair's ears: one listener for each human microphone, and what each person said. Decides nothing.

Only microphones of people are subscribed to, never an agent's. A listener belongs to a publication, not to a person:
a stream outlives the subscription it was made for, and the server may give its place to somebody else's microphone,
so the listener and its stream are ended the moment the subscription is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from livekit import rtc
from livekit.agents import utils, vad

from .attendance import display_name
from .first_words import Ask, ask_for_first_words, with_first_words
from .room_events import RoomEvents
from .transcriber import Transcriber
from .voice_activity import FRAME_MS, SAMPLE_RATE, Activity, Began, Ended, Lulled, Resumed, activities

CLOSE_S = 1.0
"""A stream closes in a millisecond; more would hold up everybody else's."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Followed by exactly one `SpeechHeard` of the same person."""

    identity: str


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    identity: str
    name: str
    text: str
    """Empty: no words."""
    began_at: float
    """Unix time, seconds, as below."""
    ended_at: float
    track_sid: str
    stages_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class SpeechGuessed:
    """After a short silence: what will have been said if it was the end."""

    identity: str
    name: str
    text: str
    began_at: float
    track_sid: str


Heard = Callable[[SpeechBegan | SpeechGuessed | SpeechHeard], None]


class Ears:
    """Listens to the microphones of those for whom `is_person` holds; async context manager around all listeners."""

    def __init__(
        self,
        room: rtc.Room,
        detector: vad.VAD,
        transcriber: Transcriber,
        heard: Heard,
        is_person: Callable[[rtc.Participant], bool],
    ) -> None:
        self._room = room
        self._detector = detector
        self._transcriber = transcriber
        self._heard = heard
        self._is_person = is_person
        self._listeners: dict[str, asyncio.Task[None]] = {}
        self._events = RoomEvents(
            room,
            track_published=self._on_published,
            track_subscribed=self._on_subscribed,
            track_unsubscribed=self._on_unsubscribed,
            track_unpublished=self._on_unpublished,
            participant_disconnected=self._on_left,
        )

    async def __aenter__(self) -> Self:
        self._events.heed()
        self.look_around()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.ignore()
        await utils.aio.cancel_and_wait(*self._listeners.values())

    def look_around(self) -> None:
        """Subscribes to the microphones of the people who are here, and lets go of those who turned out to be none."""
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                if self._is_person(participant):
                    self._on_published(publication, participant)
                else:
                    self._end(publication.sid)

    def _on_published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if publication.source == rtc.TrackSource.SOURCE_MICROPHONE and self._is_person(participant):
            publication.set_subscribed(True)

    def _on_subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_microphone = publication.source == rtc.TrackSource.SOURCE_MICROPHONE
        if not is_microphone or not self._is_person(participant):
            return
        self._end(publication.sid)
        ask = partial(ask_for_first_words, self._room, participant, publication.sid, SAMPLE_RATE)
        listener = Listener(self._detector, self._transcriber, self._heard, participant, publication.sid, ask)
        task = asyncio.create_task(listener.listen(track), name=f"listener-{participant.identity}")
        self._listeners[publication.sid] = task

    def _on_unsubscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._end(publication.sid)

    def _on_unpublished(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        self._end(publication.sid)

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        for sid in list(participant.track_publications):
            self._end(sid)

    def _end(self, sid: str) -> None:
        listener = self._listeners.pop(sid, None)
        if listener is not None:
            listener.cancel()


class Listener:
    """Hears one microphone for as long as its `listen` runs."""

    def __init__(
        self,
        detector: vad.VAD,
        transcriber: Transcriber,
        heard: Heard,
        participant: rtc.RemoteParticipant,
        track_sid: str,
        ask: Ask,
    ) -> None:
        self._ask = ask
        self._detector = detector
        self._transcriber = transcriber
        self._heard = heard
        self._identity = participant.identity
        self._name = display_name(participant)
        self._track_sid = track_sid
        self._open = 0
        self._guess: asyncio.Task[str] | None = None
        self._endpointing: deque[float] = deque()
        self._endings: asyncio.Queue[tuple[Ended, asyncio.Task[str], float]] = asyncio.Queue()

    async def listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream.from_track(
            track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS
        )
        telling = asyncio.create_task(self._tell(), name=f"words-{self._identity}")
        try:
            async for activity in activities(self._detector, with_first_words(stream, self._ask)):
                self._take(activity)
            await self._endings.join()
        except Exception:
            logger.exception("cannot hear %r any more", self._identity)
        finally:
            telling.cancel()
            self._drop_guess()
            self._abandon()
            async with asyncio.timeout(CLOSE_S):
                await stream.aclose()

    def _take(self, activity: Activity) -> None:
        loop = asyncio.get_running_loop()
        match activity:
            case Began():
                self._open += 1
                self._heard(SpeechBegan(self._identity))
            case Lulled():
                guess = asyncio.create_task(self._transcriber.words(activity.audio))
                self._guess = guess
                guess.add_done_callback(lambda done: self._guessed(done, activity.began_at))
            case Resumed():
                self._drop_guess()
            case Ended():
                self._endpointing.append(round((time.time() - activity.spoken_until) * 1000, 1))
                guessed, self._guess = self._guess, None
                words = guessed or asyncio.create_task(self._transcriber.words(activity.audio))
                self._endings.put_nowait((activity, words, loop.time()))

    def _guessed(self, guess: asyncio.Task[str], began_at: float) -> None:
        if guess is self._guess and not guess.cancelled() and (text := guess.result()):
            self._heard(SpeechGuessed(self._identity, self._name, text, began_at, self._track_sid))

    async def _tell(self) -> None:
        while True:
            ended, transcribing, noticed = await self._endings.get()
            text = await transcribing
            waited = asyncio.get_running_loop().time() - noticed
            self._open -= 1
            stages = {"endpointing": self._endpointing.popleft(), "transcription": round(waited * 1000, 1)}
            self._heard(self._speech(text, ended.began_at, ended.spoken_until, stages))
            self._endings.task_done()

    def _abandon(self) -> None:
        """Closes what was begun: whoever waits for this person to finish must not wait for ever."""
        while not self._endings.empty():
            self._endings.get_nowait()[1].cancel()
        for _ in range(self._open):
            self._heard(self._speech("", 0.0, 0.0, {}))
        self._open = 0

    def _drop_guess(self) -> None:
        if self._guess is not None:
            self._guess.cancel()
            self._guess = None

    def _speech(self, text: str, began_at: float, ended_at: float, stages: dict[str, float]) -> SpeechHeard:
        return SpeechHeard(self._identity, self._name, text, began_at, ended_at, self._track_sid, stages)
