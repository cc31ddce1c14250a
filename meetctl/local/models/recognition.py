"""Samples to words: whisper, kept from inventing any. Blocking, one call at a time; knows nothing of HTTP.

Whisper was trained to find words in everything. So a voice activity detector looks first, only the stretch with speech
is given to it, and what it says with little confidence, or after the sound has ended, is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000

SHORT_S = 13.0
"""Up to here a window of 15 s does; whisper's own is 30 s, and the encoder's time is the window's length."""
_SHORT_WINDOW_S = 15
_FRAMES_PER_SECOND = 100
_TOKENS_PER_SECOND = 8
_SPARE_TOKENS = 12
"""People say up to five tokens a second; a loop of repetitions is cut there instead of after seconds of work."""

_QUIETEST = 0.002
"""Root mean square of the loudest 30 ms; below -54 dB of full scale nobody speaks."""
_SPEECH_PROBABILITY = 0.4
_SHORTEST_SPEECH_MS = 90
_MARGIN_MS = 250
"""Kept around speech: whisper needs a little air at both ends."""

_LEAST_LOGPROB = -1.0
"""Whisper's own threshold: what is less likely than this is a guess."""
_NO_SPEECH = 0.6
_NO_SPEECH_LOGPROB = -0.6
_REPETITIVE = 2.4
"""Ratio of compression above which a text repeats itself, so that it is worth another look; whisper's threshold."""
_LOOPING = 4.0
"""Above this it is a loop of the model: people who say everything twice stay below three."""
_AT_END_S = 0.3
_LEAST_S = 0.1


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of words, seconds from the start of the audio."""

    start: float
    end: float
    text: str
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float


class Recognizer:
    """Holds the loaded model; one call at a time."""

    def __init__(self, model: Path, *, threads: int) -> None:
        from faster_whisper import WhisperModel

        class Windowed(WhisperModel):  # type: ignore[misc]
            window = 30 * _FRAMES_PER_SECOND

            def encode(self, features: Floats) -> Any:
                return super().encode(features[..., : self.window])

        self._model = Windowed(
            str(model), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """Returns the codes of the languages that the model knows."""
        return tuple(self._model.supported_languages)

    def warm_up(self) -> None:
        """Runs both windows and the detector once."""
        quiet = np.zeros(SAMPLE_RATE, np.float32)
        _speech_in(quiet + 2 * _QUIETEST)
        for short in (False, True):
            list(self._decoded(quiet, None, "en", short=short))

    def segments(
        self, samples: Floats, hotwords: str | None, gone: threading.Event, *, language: str | None = "en"
    ) -> list[Segment]:
        """Returns the words in mono samples at 16 kHz; empty for silence and noise. Ends early once `gone` is set.

        Args:
            language: a code of those that it knows; None = it finds out, for a quarter of the work more.
        """
        stretch = _speech_in(samples)
        if stretch is None:
            return []
        speech = samples[stretch[0] : stretch[1]]
        short = len(speech) <= SHORT_S * SAMPLE_RATE
        found = self._read(speech, hotwords, gone, language, short=short)
        if short and not (found and all(_is_sound(each, _REPETITIVE) for each in found)):
            # The model never learnt the shorter window. Where it gets lost: once more, as it was made.
            found = self._read(speech, hotwords, gone, language, short=False)
        start, end = stretch[0] / SAMPLE_RATE, stretch[1] / SAMPLE_RATE
        sound = (each for each in found if _is_sound(each, _LOOPING))
        return [replace(each, start=each.start + start, end=min(each.end + start, end)) for each in sound]

    def _read(
        self, speech: Floats, hotwords: str | None, gone: threading.Event, language: str | None, *, short: bool
    ) -> list[Segment]:
        duration = len(speech) / SAMPLE_RATE
        found: list[Segment] = []
        for segment in self._decoded(speech, hotwords, language, short=short):
            if gone.is_set() or segment.start > duration - _LEAST_S:
                break
            found.append(segment)
            if segment.end > duration - _AT_END_S:
                break  # another window would hold the end's silence only, and words would be found in it
        return found

    def _decoded(self, speech: Floats, hotwords: str | None, language: str | None, *, short: bool) -> Iterator[Segment]:
        seconds = min(len(speech) / SAMPLE_RATE, 30.0)
        if short:
            # Real silence, not the library's zeros: in its features zero is no silence, and short words came out five
            # times ("Yes. Yes. Yes.").
            speech = np.pad(speech, (0, _SHORT_WINDOW_S * SAMPLE_RATE - len(speech)))
        self._model.window = (_SHORT_WINDOW_S if short else 30) * _FRAMES_PER_SECOND
        segments, _ = self._model.transcribe(
            speech,
            language=language,
            beam_size=1,
            temperature=[0.0],  # the fallback to higher ones took 8 to 13 s on one short clip
            max_new_tokens=round(seconds * _TOKENS_PER_SECOND) + _SPARE_TOKENS,
            condition_on_previous_text=False,
            hotwords=hotwords,
        )
        for made in segments:
            yield Segment(
                made.start, made.end, made.text, made.avg_logprob, made.no_speech_prob, made.compression_ratio
            )


def _is_sound(segment: Segment, repetition: float) -> bool:
    if segment.compression_ratio > repetition or segment.avg_logprob < _LEAST_LOGPROB:
        return False
    return segment.no_speech_prob < _NO_SPEECH or segment.avg_logprob > _NO_SPEECH_LOGPROB


def _speech_in(samples: Floats) -> tuple[int, int] | None:
    """Returns where speech begins and ends, in samples; None where there is none."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    step = SAMPLE_RATE * 30 // 1000
    steps = len(samples) // step
    if steps == 0:
        return None
    loudest = np.sqrt(np.max(np.mean(np.square(samples[: steps * step].reshape(steps, step)), axis=1)))
    if loudest < _QUIETEST:
        return None
    options = VadOptions(
        threshold=_SPEECH_PROBABILITY, min_speech_duration_ms=_SHORTEST_SPEECH_MS, speech_pad_ms=_MARGIN_MS
    )
    stretches = get_speech_timestamps(samples, options)
    return (stretches[0]["start"], stretches[-1]["end"]) if stretches else None
