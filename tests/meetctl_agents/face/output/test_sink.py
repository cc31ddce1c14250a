"""The voice's way out, with a face made of paper: what is sent, what is heard, and one end for each segment."""

from __future__ import annotations

import asyncio

import av
import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io
from meetctl_agents.face.media.pace import Samples, is_loud
from meetctl_agents.face.output.sink import FaceAudioOutput, mono
from meetctl_agents.face.signaling.base import FaceSignal

from testing.face.viewing import speech

RATE = 16_000


class PaperMouth:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.pcm = b""
        self.skips = 0

    def speak(self, pcm: bytes) -> None:
        self.pcm += pcm

    def skip(self) -> None:
        self.skips += 1


class Room:
    """A sink, what the room hears, and the ends that were told."""

    def __init__(self) -> None:
        self.heard: list[Samples] = []
        self.output = FaceAudioOutput(self.heard.append)
        self.started = 0
        self.ends: list[tuple[float, bool]] = []
        self.output.on("playback_started", self._on_started)
        self.output.on("playback_finished", self._on_finished)

    def _on_started(self, _: io.PlaybackStartedEvent) -> None:
        self.started += 1

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        self.ends.append((round(event.playback_position, 2), event.interrupted))

    async def speak(self, samples: Samples, *, flush: bool = True) -> None:
        await self.output.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, samples.size))
        if flush:
            self.output.flush()

    def face_sounds(self, seconds: float, *, loud: bool) -> None:
        for _ in range(round(seconds / 0.02)):
            samples = np.full((1, 1920), 4000 if loud else 0, np.int16)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate = 48_000
            self.output.sound(frame)

    def fill(self, seconds: float) -> Samples:
        """Returns what goes out without a face in that time."""
        frames = [self.output.fill() for _ in range(round(seconds / 0.01))]
        return np.concatenate([np.zeros(480, np.int16) if frame is None else frame for frame in frames])


@pytest.fixture
async def room() -> Room:
    return Room()


async def test_speech_goes_to_the_face_and_what_comes_back_to_the_room(room: Room) -> None:
    mouth = PaperMouth()
    room.output.attach(mouth)
    samples = speech(1.0)
    await room.speak(samples)
    assert mouth.pcm == samples.tobytes()
    room.face_sounds(1.0, loud=True)
    room.face_sounds(0.1, loud=False)
    assert (room.started, room.ends) == (1, [(1.0, False)])
    assert sum(map(is_loud, room.heard)) == 50
    assert room.fill(0.1).max() == 0


async def test_without_a_face_speech_is_resampled_and_paced_by_the_room(room: Room) -> None:
    await room.speak(speech(1.0))
    out = room.fill(0.5)
    assert room.started == 1 and not room.ends
    assert is_loud(out) and out.size == 24_000
    room.fill(0.6)
    assert room.ends == [(1.0, False)]
    assert room.fill(0.2).max() == 0


async def test_speech_without_a_face_keeps_its_pitch_and_strength(room: Room) -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)
    await room.speak(tone)
    out = room.fill(1.0)[9600:38400].astype(float)
    spectrum = np.abs(np.fft.rfft(out))
    assert abs(int(spectrum.argmax()) * 48_000 / out.size - 440) < 5
    assert np.abs(out).max() == pytest.approx(8000, rel=0.1)


async def test_a_face_that_dies_leaves_the_rest_of_the_sentence_to_the_voice(room: Room) -> None:
    room.output.attach(PaperMouth())
    await room.speak(speech(2.0))
    room.face_sounds(0.5, loud=True)
    room.output.detach()
    rest = room.fill(3.0)
    assert np.flatnonzero(np.abs(rest) > 500)[-1] / 48_000 == pytest.approx(1.5, abs=0.1)
    assert (room.started, room.ends) == (1, [(2.0, False)])


async def test_a_face_that_returns_takes_over_with_the_next_sentence(room: Room) -> None:
    await room.speak(speech(1.0))
    room.fill(0.2)
    mouth = PaperMouth()
    room.output.attach(mouth)
    room.face_sounds(0.3, loud=False)
    assert not room.heard  # its silence would fall between the words
    room.fill(1.0)
    assert room.ends == [(1.0, False)]
    await room.speak(speech(0.5))
    assert len(mouth.pcm) == RATE


async def test_clearing_skips_at_once_and_mutes_what_is_still_on_its_way(room: Room) -> None:
    mouth = PaperMouth()
    room.output.attach(mouth)
    await room.speak(speech(3.0))
    room.face_sounds(1.0, loud=True)
    room.output.clear_buffer()
    assert mouth.skips == 1
    assert [interrupted for _, interrupted in room.ends] == [True]
    assert room.ends[0][0] == pytest.approx(1.0, abs=0.05)
    room.heard.clear()
    room.face_sounds(0.1, loud=True)
    room.output.said(FaceSignal.SILENT)
    room.face_sounds(0.5, loud=False)
    assert not any(map(is_loud, room.heard)) and len(room.heard) == 30
    await room.speak(speech(0.5))
    room.face_sounds(0.5, loud=True)
    room.face_sounds(0.1, loud=False)
    assert room.ends[1:] == [(0.5, False)]


async def test_what_is_left_of_a_cleared_segment_is_dropped(room: Room) -> None:
    mouth = PaperMouth()
    room.output.attach(mouth)
    await room.speak(speech(0.5), flush=False)
    room.output.clear_buffer()
    sent = len(mouth.pcm)
    await room.speak(speech(0.5))
    assert len(mouth.pcm) == sent
    assert room.ends == [(0.0, True)]
    room.output.clear_buffer()
    assert len(room.ends) == 1 and mouth.skips == 1


async def test_clearing_without_a_face_is_silence_from_the_next_frame_on(room: Room) -> None:
    await room.speak(speech(2.0))
    room.fill(0.5)
    room.output.clear_buffer()
    assert room.fill(0.5).max() == 0
    ((position, interrupted),) = room.ends
    assert interrupted and position == pytest.approx(0.5, abs=0.02)


async def test_a_second_segment_waits_until_the_first_has_been_heard(room: Room) -> None:
    await room.speak(speech(0.5))
    second = asyncio.create_task(room.speak(speech(0.3)))
    await asyncio.sleep(0)
    assert not second.done()
    room.fill(0.7)
    async with asyncio.timeout(5):
        await second
    room.fill(0.5)
    assert room.ends == [(0.5, False), (0.3, False)]


async def test_a_face_that_swallows_speech_is_spoken_around(room: Room) -> None:
    room.output.attach(PaperMouth())
    await room.speak(speech(1.0))
    room.face_sounds(3.2, loud=False)
    assert is_loud(room.fill(1.2))
    assert room.ends == [(1.0, False)]


async def test_an_empty_segment_ends(room: Room) -> None:
    await room.speak(np.zeros(0, np.int16))
    room.fill(0.05)
    assert room.ends == [(0.0, False)]
    room.output.flush()
    assert len(room.ends) == 1


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("kind", ["s16", "s16p"])
def test_returned_sound_becomes_one_channel(layout: str, kind: str) -> None:
    channels = 1 if layout == "mono" else 2
    left, right = np.arange(960, dtype=np.int16), np.arange(960, dtype=np.int16) + 100
    apart = np.stack((left, right))[:channels]
    samples = apart if kind == "s16p" else apart.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format=kind, layout=layout)
    np.testing.assert_allclose(mono(frame), left if channels == 1 else left + 50, atol=1)
