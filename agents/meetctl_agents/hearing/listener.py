"""One microphone: what is said into it, in words. Knows one person, and nothing of who else is there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livekit import rtc
from livekit.agents import APIConnectOptions, stt, vad
from livekit.rtc._ffi_client import FfiClient

from ..floor.events import SpeechStarted
from ..models.providers import prompts_of
from ..models.speech_faults import SpeechFaults
from ..process.tasks import Tasks
from ..room.attendance import display_name
from .evidence import can_hold, is_doubtful
from .preconnect_audio import Ask, with_preconnect_audio
from .recognised import said_in
from .voice_activity import FRAME_MS, SAMPLE_RATE, Activity, PauseDetected, SpeechEnded, SpeechResumed, activities

CLOSE_S = 1.0
"""A stream closes in a millisecond; more would hold up everybody else's."""
PATIENCE_S = 12.0
"""A local model needs 0.2 to 0.5 s for a sentence, and a few seconds on a busy machine; then the words are given up."""
FAILS = "the transcription model fails"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """What was said: exactly one follows each `SpeechStarted` of the same person."""

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
class PreflightTranscript:
    """After a short silence: what will have been said if it was the end."""

    identity: str
    name: str
    text: str
    began_at: float
    track_sid: str


OnHeard = Callable[[SpeechStarted | PreflightTranscript | FinalTranscript], None]


class Transcriber:
    """Turns stretches of speech into words with the transcription model, reports that it fails, and never raises it."""

    def __init__(self, model: stt.STT[str], faults: SpeechFaults) -> None:
        self._model = model
        self._faults = faults
        self._prompts = prompts_of(model)

    async def words(self, audio: Iterable[rtc.AudioFrame]) -> str:
        """Returns what was said; empty = no words, or the model failed (which has been reported)."""
        frames = list(audio)
        options = APIConnectOptions(max_retry=0, timeout=PATIENCE_S)
        try:
            async with asyncio.timeout(PATIENCE_S):
                event = await self._model.recognize(frames, conn_options=options)
            seconds = sum(frame.duration for frame in frames)
            words = said_in(_text(event), prompts=self._prompts, seconds=seconds)
            if is_doubtful(words, self._prompts) and not await asyncio.to_thread(can_hold, frames, words):
                logger.info("%r was written for a sound that cannot hold it", words)
                words = ""
        except Exception as error:  # whatever it is, the next words are to be heard
            logger.warning("transcription failed: %r", error)
            self._faults.warn(FAILS, error)
            return ""
        self._faults.works(FAILS)
        return words


class Listener:
    """Hears one microphone for as long as its `listen` runs."""

    def __init__(
        self,
        detector: vad.VAD,
        transcriber: Transcriber,
        heard: OnHeard,
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
        self._preflight: asyncio.Task[str] | None = None
        self._endpointing: deque[float] = deque()
        self._endings: asyncio.Queue[tuple[SpeechEnded, asyncio.Task[str], float]] = asyncio.Queue()
        self._tasks = Tasks()

    async def listen(self, track: rtc.Track) -> None:
        """Listens until the track ends.

        Raises:
            Exception: whatever made that impossible; what was said until then has been told.
        """
        stream = _opened(track)
        self._tasks.own(self._tell(), f"words-{self._identity}")
        try:
            async for activity in activities(self._detector, self._identity, with_preconnect_audio(stream, self._ask)):
                self._take(activity)
            await self._endings.join()
        except Exception:
            await self._endings.join()
            raise
        finally:
            await self._tasks.aclose()
            self._abandon()
            await _close(stream)

    def _take(self, activity: Activity) -> None:
        loop = asyncio.get_running_loop()
        match activity:
            case SpeechStarted():
                logger.debug("%r begins to speak", self._identity)
                self._open += 1
                self._heard(activity)
            case PauseDetected():
                preflight = self._transcribe(activity)
                self._preflight = preflight
                preflight.add_done_callback(lambda done: self._on_preflight(done, activity.began_at))
            case SpeechResumed():
                logger.debug("%r speaks on", self._identity)
                self._drop_preflight()
            case SpeechEnded():
                self._endpointing.append(round((time.time() - activity.spoken_until) * 1000, 1))
                begun, self._preflight = self._preflight, None
                words = begun or self._transcribe(activity)
                self._endings.put_nowait((activity, words, loop.time()))

    def _transcribe(self, activity: PauseDetected | SpeechEnded) -> asyncio.Task[str]:
        return self._tasks.own(self._transcriber.words(activity.audio), f"transcription-{self._identity}")

    def _on_preflight(self, preflight: asyncio.Task[str], began_at: float) -> None:
        if (
            preflight is self._preflight
            and not preflight.cancelled()
            and preflight.exception() is None
            and (text := preflight.result())
        ):
            self._heard(PreflightTranscript(self._identity, self._name, text, began_at, self._track_sid))

    async def _tell(self) -> None:
        while True:
            ended, transcribing, noticed = await self._endings.get()
            try:
                await self._tell_one(ended, transcribing, noticed)
            except Exception:  # the next words are to be told
                logger.exception("what %r said is lost", self._identity)
            finally:
                self._endings.task_done()

    async def _tell_one(self, ended: SpeechEnded, transcribing: asyncio.Task[str], noticed: float) -> None:
        text = ""
        try:
            text = await transcribing
        finally:  # whoever waits for this person to finish must not wait for ever
            waited = asyncio.get_running_loop().time() - noticed
            logger.debug("%r: words %r", self._identity, text)
            self._open -= 1
            stages = {"endpointing": self._endpointing.popleft(), "transcription": round(waited * 1000, 1)}
            self._heard(self._speech(text, ended.began_at, ended.spoken_until, stages))

    def _abandon(self) -> None:
        """Closes what was begun: whoever waits for this person to finish must not wait for ever."""
        while not self._endings.empty():
            self._endings.get_nowait()[1].cancel()
        for _ in range(self._open):
            self._heard(self._speech("", 0.0, 0.0, {}))
        self._open = 0

    def _drop_preflight(self) -> None:
        if self._preflight is not None:
            self._preflight.cancel()
            self._preflight = None

    def _speech(self, text: str, began_at: float, ended_at: float, stages: dict[str, float]) -> FinalTranscript:
        return FinalTranscript(self._identity, self._name, text, began_at, ended_at, self._track_sid, stages)


async def _close(stream: rtc.AudioStream) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await stream.aclose()
    except Exception as error:  # it is left behind; whoever is cancelled must see that and nothing else
        logger.warning("a microphone's stream does not close: %r", error)


def _opened(track: rtc.Track) -> rtc.AudioStream:
    """Returns a stream of the track, mono, at the detector's rate; to be closed.

    The library hands each stream the frames of all; here it gets its own alone.
    """
    stream = rtc.AudioStream.from_track(track=track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=FRAME_MS)
    _narrow(stream)
    return stream


def _narrow(stream: rtc.AudioStream) -> None:
    """Spares the loop what is none of this stream's: with ten microphones, nine frames of ten."""
    events = FfiClient.instance.queue
    handle = stream._ffi_handle.handle
    events.unsubscribe(stream._ffi_queue)
    stream._ffi_queue = events.subscribe(
        stream._loop, filter_fn=lambda event: event.audio_stream_event.stream_handle == handle
    )


def _text(event: stt.SpeechEvent) -> str:
    """Returns the text of an answer; plugins hand on what the server wrote, whatever type it has.

    Raises:
        ValueError: saying what came instead of text.
    """
    texts: list[object] = [alternative.text for alternative in event.alternatives[:1]]
    text = texts[0] if texts else ""
    if not isinstance(text, str):
        raise ValueError(f"its answer holds no text, but {text!r:.80}")
    return text
