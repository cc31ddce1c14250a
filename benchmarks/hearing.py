"""What the chair's ears get wrong: words of people and of the local voices, and words that nobody said.

Through the product's own way: the detector, the recogniser behind its server, and what is made of its answers. Sound is
fed as fast as it is taken, not as fast as it would be heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import cycle, islice

import numpy as np
from livekit import rtc
from meetctl_agents.floor.events import SpeechStarted
from meetctl_agents.hearing.listener import Transcriber
from meetctl_agents.hearing.voice_activity import FRAME_MS, SAMPLE_RATE, SpeechEnded, activities, load_detector
from meetctl_agents.models.providers import stt_from_endpoint
from meetctl_agents.models.speech_faults import SpeechFaults
from numpy.typing import NDArray

from benchmarks.measuring import show
from benchmarks.recordings import Recording, Samples, read_recordings
from meetctl.catalogue import PAIRS
from meetctl.programs.assignments import endpoint
from meetctl.roster import ModelChoice
from testing.agents.human import synthesised
from testing.agents.noises import NOISES, noise
from testing.fixtures.models import running_model_server
from testing.words import word_errors

NAMES = ("Ada", "Max")
NOISE_S = 600.0
SEED = 7
QUIETER = 10.0
"""Decibels by which the noise is below the voice."""
VOICES = ("alto", "tenor", "bass", "treble")
SENTENCES = (
    "Ada, what should we do before the launch on Friday morning?",
    "I think the server needs more memory than we ordered.",
    "Max, please write the release notes and send them around.",
    "The customers waited for twenty minutes before somebody answered them.",
    "We moved the database to another machine over the weekend.",
    "Nobody knows why the report was late this month.",
    "Could you explain the new plan to everybody in the room?",
    "There are three open questions about the budget for next year.",
    "Let us talk about the weather station on the roof.",
    "The train to the coast leaves at half past seven.",
)
TALK = 30
"""Sentences of the local voices: some three hundred words."""
CONDITIONS: dict[str, Callable[[Samples], Samples]] = {
    "clean": lambda samples: samples,
    "8 kHz": lambda samples: _telephone(samples),
    "10 dB of noise": lambda samples: _noisy(samples),
}


def main() -> None:
    """Prints the figures of both pairs' ears."""
    people = read_recordings()
    for name, models in PAIRS.items():
        label = f"local/{name}".rstrip("/")
        flags = tuple(f"--serve={part}={model}" for part, model in models.items() if part != "llm")
        with running_model_server(models=flags) as (_, url):
            asyncio.run(_measure(label, url, people))


async def _measure(label: str, url: str, people: Sequence[Recording]) -> None:
    transcriber = _transcriber(url, label.partition("/")[2] or None)
    for condition, changed in CONDITIONS.items():
        heard = [(one.text, await transcriber.words(_frames(changed(one.samples)))) for one in people]
        _show_errors(f"words of a person who reads, {condition}", label, heard)
    spoken = []
    for number, text in enumerate(islice(cycle(SENTENCES), TALK)):
        sound = np.frombuffer(await synthesised(url, text, VOICES[number % len(VOICES)]), np.int16)
        spoken.append((text, await transcriber.words(_frames(_at_rate(sound)))))
    _show_errors("words of the local voices, clean", label, spoken)
    for language in ("en", "auto") if label == "local" else ("en",):
        await _hear_noise(_transcriber(url, label.partition("/")[2] or None, language), label, language)


async def _hear_noise(transcriber: Transcriber, label: str, language: str) -> None:
    noticed, words = 0, []
    sounds = [noise(name, NOISE_S / len(NOISES), seed=SEED) for name in NOISES]
    async for activity in activities(load_detector(), "noise", _events(np.concatenate(sounds))):
        noticed += isinstance(activity, SpeechStarted)
        if isinstance(activity, SpeechEnded) and (text := await transcriber.words(activity.audio)):
            words.append(text)
    what = f"turns that {NOISE_S / 60:.0f} minutes of noise began, language {language}"
    show(what, "", pair=label, value=len(words), sounds_looked_at=noticed, words=" | ".join(words))


def _transcriber(url: str, model: str | None, language: str = "en") -> Transcriber:
    served = endpoint(ModelChoice(model=model), "stt", url, language)
    return Transcriber(stt_from_endpoint(served, language, NAMES), SpeechFaults(lambda _: None))


def _show_errors(what: str, label: str, pairs: Sequence[tuple[str, str]]) -> None:
    counted = [word_errors(said, heard) for said, heard in pairs]
    show(f"{what}: wrong", "words", pair=label, value=sum(one for one, _ in counted), of=sum(all for _, all in counted))


async def _events(samples: NDArray[np.int16]) -> AsyncIterator[rtc.AudioFrameEvent]:
    for frame in _frames(samples):
        yield rtc.AudioFrameEvent(frame)
        await asyncio.sleep(0)


def _frames(samples: NDArray[np.int16]) -> list[rtc.AudioFrame]:
    size = SAMPLE_RATE * FRAME_MS // 1000
    pieces = [samples[start : start + size] for start in range(0, len(samples) - size + 1, size)]
    return [rtc.AudioFrame(piece.tobytes(), SAMPLE_RATE, 1, size) for piece in pieces]


def _at_rate(samples: NDArray[np.int16]) -> Samples:
    """Returns what a local voice said, 24 kHz, at the detector's rate."""
    resampler = rtc.AudioResampler(24_000, SAMPLE_RATE)
    made = [*resampler.push(rtc.AudioFrame(samples.tobytes(), 24_000, 1, len(samples))), *resampler.flush()]
    return np.concatenate([np.frombuffer(frame.data, np.int16) for frame in made])


def _telephone(samples: Samples) -> Samples:
    """Returns it with nothing above 4 kHz, as a telephone has it."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) > 4000] = 0
    return _as_samples(np.fft.irfft(spectrum, len(samples)))


def _noisy(samples: Samples) -> Samples:
    loudness = np.sqrt(np.mean(np.square(samples.astype(np.float64))))
    chance = np.random.default_rng(SEED)
    return _as_samples(samples + chance.normal(0, loudness * 10 ** (-QUIETER / 20), len(samples)))


def _as_samples(sound: NDArray[np.float64]) -> Samples:
    return np.asarray(sound.round().clip(-32768, 32767), np.int16)
