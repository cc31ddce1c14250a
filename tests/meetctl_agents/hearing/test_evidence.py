"""Short phrases that recognisers write for noises count where the sound can hold them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from livekit import rtc
from meetctl_agents.hearing.evidence import can_hold, is_doubtful
from meetctl_agents.hearing.listener import Transcriber
from meetctl_agents.models.speech_faults import SpeechFaults
from numpy.typing import NDArray

from meetctl.local.models import synthesis
from meetctl.local.models.synthesis import Synthesizer
from meetctl.local.models.voices import parse_voice
from testing.agents.noises import NOISES, RATE, noise

PHRASES = ("Thank you.", "you", "Bye.", "Okay.", "Thanks.")
VOICES = ("alto", "tenor", "bass", "treble")
PLAIN = ((1.0, 0.0),)
NOISY = ((1.0, 0.0), (1.0, 200.0), (0.1, 10.0))
"""Gains, and root mean squares of a room's noise. In it the detector of speech itself misses the last two voices."""


def frames(samples: NDArray[Any], rate: int = RATE) -> list[rtc.AudioFrame]:
    size = rate // 100
    pieces = [samples[start : start + size].astype(np.int16) for start in range(0, len(samples) - size + 1, size)]
    return [rtc.AudioFrame(piece.tobytes(), rate, 1, size) for piece in pieces]


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer()


def said(synthesizer: Synthesizer, text: str, voice: str) -> NDArray[np.float64]:
    """Returns the words with half a second of silence before and after them, at the voice's own rate."""
    spoken = [synthesizer.speak(one, parse_voice(voice), 1.0) for one in synthesizer.sentences(text)]
    quiet = np.zeros(synthesis.SAMPLE_RATE // 2)
    return np.concatenate([quiet, *spoken, quiet])


@pytest.mark.parametrize("voice", VOICES)
def test_a_voice_that_says_a_short_phrase_is_evidence_for_it(synthesizer: Synthesizer, voice: str) -> None:
    missed = []
    for text in PHRASES:
        sound = said(synthesizer, text, voice)
        for gain, room in NOISY if voice in ("alto", "tenor") else PLAIN:
            noisy = sound * gain + np.random.default_rng(2).normal(0, room, len(sound))
            if not can_hold(frames(noisy.round(), synthesis.SAMPLE_RATE), text):
                missed.append((text, gain, room))
    assert not missed


@pytest.mark.parametrize("name", NOISES)
def test_a_noise_is_no_evidence_for_words(name: str) -> None:
    for seed in range(3):
        sound = np.concatenate([np.zeros(RATE // 2), noise(name, 1.5, seed=seed)])
        assert not any(can_hold(frames(sound), text) for text in PHRASES), seed


def test_no_sound_at_all_holds_no_words() -> None:
    assert not can_hold([], "you")
    assert not can_hold(frames(np.zeros(RATE)), "you")
    assert not can_hold(frames(np.zeros(RATE // 100)), "you")


@pytest.mark.parametrize(
    "text", ["Thank you.", "you", " Bye! ", "Vielen Dank.", "ありがとうございました", "Спасибо!", "Ada."]
)
def test_what_recognisers_write_for_noises_is_doubtful(text: str) -> None:
    assert is_doubtful(text, ("Ada, Max",))


@pytest.mark.parametrize("text", ["Thank you, that was clear.", "Stop.", "Yes.", "Max?", "", "Good morning."])
def test_what_people_say_is_not(text: str) -> None:
    assert not is_doubtful(text, ("Ada, Eve",))


class Recogniser:
    """Writes the same for every sound."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def recognize(self, frames: object, *, conn_options: object) -> Any:
        return SimpleNamespace(alternatives=[SimpleNamespace(text=self._text)])


async def heard(text: str, sound: list[rtc.AudioFrame]) -> str:
    model: Any = Recogniser(text)
    return await Transcriber(model, SpeechFaults(lambda _: None)).words(sound)


async def test_a_transcriber_hears_thank_you_of_a_person_and_not_of_a_noise(synthesizer: Synthesizer) -> None:
    person = frames(said(synthesizer, "Thank you.", "mezzo"), synthesis.SAMPLE_RATE)
    cough = frames(noise("coughs", 2.0))
    for text in ("Thank you.", "you", "Bye."):
        assert await heard(text, person) == text
        assert await heard(text, cough) == ""
    assert await heard("Thanks for watching!", person) == ""
    assert await heard("Anna, what is the plan?", cough) == "Anna, what is the plan?", "nobody writes that for noises"
    assert await heard("Anna, " + "the plan the plan " * 200, person) == "Anna, the plan"
