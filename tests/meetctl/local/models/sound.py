"""What the tests measure sound and words with."""

from __future__ import annotations

import io
import wave

import numpy as np
import numpy.typing as npt

RATE = 24_000
Samples = npt.NDArray[np.int16]


def samples_from_pcm(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2").astype(np.int16)


def wav(samples: Samples, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def fundamental(samples: Samples) -> float:
    """Returns the median fundamental frequency of the voiced parts, Hz, by autocorrelation."""
    longest, shortest, size = RATE // 70, RATE // 450, RATE // 20
    window = np.hanning(size)
    fading = _autocorrelation(window)[:longest]
    found = []
    for part in _loud_parts(samples, size):
        likeness = _autocorrelation((part - part.mean()) * window)[:longest] / fading
        peaks = [i for i in range(shortest, longest - 1) if likeness[i - 1] <= likeness[i] >= likeness[i + 1]]
        best = max((likeness[lag] for lag in peaks), default=0)
        if best > 0.6:
            found.append(RATE / next(lag for lag in peaks if likeness[lag] > 0.95 * best))
    return float(np.median(found))


def formant_ratio(samples: Samples, reference: Samples) -> float:
    """Returns by what factor the resonances of one voice lie above another's that said the same."""
    own, others = _envelope(samples), _envelope(reference)
    hertz = np.fft.rfftfreq(_ENVELOPE, 1 / RATE)
    at = np.geomspace(600, 4000, 400)
    factors = np.geomspace(0.7, 1.4, 71)
    alike = [
        np.corrcoef(np.interp(at * factor**0.5, hertz, own), np.interp(at / factor**0.5, hertz, others))[0, 1]
        for factor in factors
    ]
    return float(factors[int(np.argmax(alike))])


_ENVELOPE = 1024


def _envelope(samples: Samples) -> npt.NDArray[np.float64]:
    window = np.hanning(_ENVELOPE)
    parts = [np.abs(np.fft.rfft(part * window)) ** 2 for part in _loud_parts(samples, _ENVELOPE)]
    cepstrum = np.fft.irfft(np.log(np.mean(parts, axis=0) + 1e-9))
    cepstrum[40:-40] = 0  # what is finer than 600 Hz are the harmonics, not the resonances
    return np.fft.rfft(cepstrum).real


def _loud_parts(samples: Samples, size: int) -> list[npt.NDArray[np.float64]]:
    parts = [samples[i : i + size].astype(np.float64) for i in range(0, len(samples) - size, size // 2)]
    return [part for part in parts if np.sqrt(np.mean(part**2)) > 1000]


def _autocorrelation(part: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found = np.fft.irfft(np.abs(np.fft.rfft(part, 4 * len(part))) ** 2)
    return np.asarray(found / found[0], np.float64)


def silence_around(samples: Samples) -> tuple[float, float]:
    """Returns how long it is quiet (below 1 % of full scale) before the first sound and after the last, seconds."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 327)
    return loud[0] / RATE, (len(samples) - 1 - loud[-1]) / RATE
