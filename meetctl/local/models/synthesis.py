"""Text to samples: hibari, made into several voices, cut to the words. Blocking; knows nothing of HTTP.

The network predicts a spectrum and a pitch curve, and the waveform is made from those: moving the pitch curve and
stretching the spectrum before that step gives other voices at no cost. That seam is private to hibari 0.2.1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from meetctl.local.models.voices import LocalVoice

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 24_000

LEAD_S = 0.02
"""Kept before the first sound; hibari itself leaves about 0.3 s, all of it heard as slowness."""
TAIL_S = 0.05
"""Kept after the last sound; hibari leaves about 0.45 s."""
SENTENCE_GAP_S = 0.12
"""Between two sentences, in place of the 0.75 s that the two paddings make."""

_LOUDNESS = 0.085
"""Root mean square of the loud half of a sentence; hibari alone stays near a third of this."""
_MOST_GAIN = 6.0
_SOUND_BELOW_PEAK = 0.012
"""A stretch this far below the loudest one is silence: softer than any consonant, louder than the noise floor."""
_STRETCH = SAMPLE_RATE // 200
_CEILING = 0.97


class Synthesizer:
    """Holds the loaded voice; one call at a time."""

    def __init__(self) -> None:
        from hibari import Hibari

        self._hibari = Hibari(threads=1)
        self._noise = np.random.default_rng(0)

    def sentences(self, text: str) -> list[str]:
        """Returns the text as phonemes, one string for each sentence; empty where nothing can be spoken."""
        return [phonemes for phonemes in self._hibari.phonemize(text) if any(map(str.isalpha, phonemes))]

    def speak(self, phonemes: str, voice: LocalVoice, speed: float) -> Samples:
        """Returns one sentence without the silence around it."""
        from hibari import dsp

        outputs = self._hibari.sess.run(
            None,
            {
                "ids": np.asarray([self._hibari.ids(phonemes)], np.int64),
                "speed": np.asarray([speed], np.float32),
            },
        )
        harmonic, phase, noise, free, free_phase, f0 = (output[0] for output in outputs)
        harmonic, noise, free = (_moved(bins, voice.formant) for bins in (harmonic, noise, free))
        wave = dsp.synth(harmonic, phase, noise, free, free_phase, f0 * voice.pitch, self._noise)
        return _finished(np.asarray(wave, np.float32))


def silence(seconds: float) -> Samples:
    """Returns that much silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def _moved(bins: Floats, formant: float) -> Floats:
    """Stretches a spectrum, bins by frames, along its frequencies."""
    if formant == 1.0:
        return bins
    last = len(bins) - 1
    at = np.minimum(np.arange(len(bins)) / formant, last)
    below = at.astype(np.int64)
    above = np.minimum(below + 1, last)
    share = (at - below).astype(np.float32)[:, None]
    moved: Floats = bins[below] * (1 - share) + bins[above] * share
    return moved


def _finished(wave: Floats) -> Samples:
    stretches = len(wave) // _STRETCH
    if stretches == 0:
        return silence(LEAD_S)
    loudness = np.sqrt(np.mean(np.square(wave[: stretches * _STRETCH].reshape(stretches, _STRETCH)), axis=1))
    sounding = np.flatnonzero(loudness > loudness.max() * _SOUND_BELOW_PEAK)
    if loudness.max() == 0 or len(sounding) == 0:
        return silence(LEAD_S)
    start = max(0, sounding[0] * _STRETCH - round(LEAD_S * SAMPLE_RATE))
    end = min(len(wave), (sounding[-1] + 1) * _STRETCH + round(TAIL_S * SAMPLE_RATE))
    loud = np.sqrt(np.mean(np.square(loudness[loudness >= np.median(loudness[sounding])])))
    spoken = wave[start:end] * min(_MOST_GAIN, _LOUDNESS / float(loud))
    samples: Samples = (np.clip(spoken, -_CEILING, _CEILING) * 32767).astype(np.int16)
    return samples
