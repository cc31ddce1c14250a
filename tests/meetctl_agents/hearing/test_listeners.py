"""Whom the chair hears: one microphone of each person, not more than it can bear, and each again after a fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from livekit import rtc
from livekit.agents.metrics import VADMetrics
from meetctl_agents.floor.events import SpeechStarted
from meetctl_agents.hearing import listener
from meetctl_agents.hearing import listeners as hearing
from meetctl_agents.hearing.listener import FinalTranscript, PreflightTranscript, Transcriber
from meetctl_agents.hearing.listeners import FEWEST, MicrophoneListeners
from meetctl_agents.hearing.voice_activity import SpeechEnded, load_detector
from meetctl_agents.models.speech_faults import SpeechFaults
from meetctl_agents.room.joining import LISTENING

from meetctl.protocol import Model, Recovered, Warn
from meetctl.settings import LiveKitCredentials
from testing.fixtures.livekit import MintToken

pytestmark = pytest.mark.system

WAIT_S = 20.0
POLL_S = 0.02
MEASURED_S = 1.5
NOTHING = 0.1
"""Of a core; it is a hundredth on an idle machine, and half of it where library and server are busy with each other."""


class Words(Transcriber):
    """Understands every stretch as the next of its words; an exception among them is raised."""

    def __init__(self, *words: str | Exception) -> None:
        self._next = iter(words)

    async def words(self, audio: object) -> str:
        match next(self._next, ""):
            case Exception() as error:
                raise error
            case text:
                return text


class Stage:
    """A chair's ears in a room, and people with microphones."""

    def __init__(self, url: str, mint: MintToken, stack: AsyncExitStack) -> None:
        self._url, self._mint, self._stack = url, mint, stack
        self.room = rtc.Room()
        self.reported: list[Model] = []
        self.left_out: list[tuple[str, int]] = []
        self.heard: list[SpeechStarted | PreflightTranscript | FinalTranscript] = []
        self.detector = load_detector()

    async def listen(self, *words: str | Exception) -> MicrophoneListeners:
        await self.room.connect(self._url, self._mint("chair", role="chair").get_secret_value(), LISTENING)
        self._stack.push_async_callback(self.room.disconnect)
        ears = MicrophoneListeners(
            self.room,
            self.detector,
            Words(*words),
            self.heard.append,
            lambda participant: participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
            lambda participant, most: self.left_out.append((participant.identity, most)),
            SpeechFaults(self.reported.append),
        )
        return await self._stack.enter_async_context(ears)

    async def person(self, identity: str, microphones: int = 1) -> tuple[rtc.Room, list[str]]:
        """Returns the room of somebody who joins, and the sids of their microphones in the order they came."""
        room = rtc.Room()
        await room.connect(self._url, self._mint(identity).get_secret_value())
        self._stack.push_async_callback(room.disconnect)
        return room, [await self.microphone(room) for _ in range(microphones)]

    async def microphone(self, room: rtc.Room) -> str:
        """Publishes one more microphone; returns its sid. The server may tell of several at once in any order."""
        source = rtc.AudioSource(24_000, 1)
        self._stack.push_async_callback(source.aclose)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        return (await room.local_participant.publish_track(track, options)).sid

    def told_of(self, identity: str) -> set[str]:
        """Returns the sids of the microphones of which the chair knows."""
        participant = self.room.remote_participants.get(identity)
        return set() if participant is None else set(participant.track_publications)

    def subscribed(self) -> dict[str, list[str]]:
        """Returns the sids of the microphones that are heard, by identity."""
        return {
            identity: [each.sid for each in participant.track_publications.values() if each.track is not None]
            for identity, participant in self.room.remote_participants.items()
        }


@pytest.fixture
async def stage(livekit_server: LiveKitCredentials, mint_token: MintToken) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(livekit_server.url, mint_token, stack)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():
            await asyncio.sleep(POLL_S)


async def test_of_somebody_with_many_microphones_the_newest_is_heard_and_an_older_one_once_that_is_gone(
    stage: Stage,
) -> None:
    ears = await stage.listen()
    mallory, sids = await stage.person("mallory", 11)
    await until(lambda: stage.told_of("mallory") == set(sids) and len(stage.subscribed()["mallory"]) == 1)
    newest = await stage.microphone(mallory)
    await until(lambda: stage.subscribed()["mallory"] == [newest] == list(ears._listeners))
    await mallory.local_participant.unpublish_track(newest)
    await until(lambda: len(stage.subscribed()["mallory"]) == 1 and newest not in stage.subscribed()["mallory"])
    await until(lambda: list(ears._listeners) == stage.subscribed()["mallory"])
    assert set(ears._listeners) < set(sids)
    assert stage.left_out == []


async def test_microphones_that_were_given_up_cost_nothing_once_their_person_has_gone(stage: Stage) -> None:
    await stage.listen()
    room, _ = await stage.person("mallory", 8)
    await until(lambda: len(stage.subscribed().get("mallory", [])) == 1)
    await room.disconnect()
    await until(lambda: stage.subscribed() == {})
    before = time.process_time()
    await asyncio.sleep(MEASURED_S)  # the length of what is measured
    assert time.process_time() - before < MEASURED_S * NOTHING


async def test_who_comes_when_all_places_are_taken_is_named_and_heard_once_there_is_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "MOST", 2)
    ears = await stage.listen()
    people = {identity: await stage.person(identity) for identity in ("sam", "eve", "kim")}
    await until(lambda: stage.left_out == [("kim", 2)])
    await until(lambda: set(ears._listeners) == {people["sam"][1][0], people["eve"][1][0]})
    await people["sam"][0].disconnect()
    await until(lambda: set(ears._listeners) == {people["eve"][1][0], people["kim"][1][0]})
    assert stage.left_out == [("kim", 2)]


async def test_a_chair_that_cannot_keep_up_hears_fewer_says_so_and_hears_them_again_later(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "RELIEF_S", 0.3)
    ears = await stage.listen()
    crowd = [f"guest-{number}" for number in range(FEWEST + 2)]
    await asyncio.gather(*(stage.person(identity) for identity in crowd))
    await until(lambda: len(ears._listeners) == len(crowd))
    late = VADMetrics(label="", timestamp=0, idle_time=0, inference_duration_total=31.0, inference_count=31)
    stage.detector.emit("metrics_collected", late)
    await until(lambda: len(stage.left_out) == 2 and len(ears._listeners) == FEWEST)
    (warning,) = stage.reported
    assert isinstance(warning, Warn) and "cannot keep up" in warning.message
    await until(lambda: len(ears._listeners) == len(crowd))
    assert stage.reported[1:] == [Recovered(about=warning.about or "")]


async def test_a_microphone_that_fails_is_listened_to_again_and_told_of(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "AGAIN_S", (0.05,))
    attempts = 0

    async def activities(detector: object, identity: str, stream: Any) -> AsyncIterator[SpeechStarted | SpeechEnded]:
        nonlocal attempts
        attempts += 1
        yield SpeechStarted(identity)
        if attempts == 1:
            raise OSError("the stream broke")
        yield SpeechEnded(1.0, 2.0, ())
        await asyncio.Event().wait()

    monkeypatch.setattr(listener, "activities", activities)
    await stage.listen("Good morning.")
    await stage.person("sam")
    await until(lambda: any(isinstance(said, FinalTranscript) and said.text for said in stage.heard))
    began, given_up, again, heard = stage.heard
    assert (began, again) == (SpeechStarted("sam"), SpeechStarted("sam"))
    assert isinstance(given_up, FinalTranscript) and given_up.text == ""
    assert isinstance(heard, FinalTranscript) and heard.text == "Good morning."
    (warning,) = stage.reported
    assert isinstance(warning, Warn) and "'Sam'" in warning.message and "the stream broke" in warning.message


async def test_words_that_cannot_be_told_cost_themselves_and_not_those_after_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def activities(detector: object, identity: str, stream: Any) -> AsyncIterator[SpeechStarted | SpeechEnded]:
        for number in range(3):
            yield SpeechStarted(identity)
            yield SpeechEnded(float(number), number + 0.5, ())
        await asyncio.Event().wait()

    monkeypatch.setattr(listener, "activities", activities)
    await stage.listen("One.", ValueError("no words"), "Three.")
    await stage.person("sam")
