"""Whether somebody can have said a few words in a sound. Pure: samples in, an answer out; some milliseconds of work.

Recognisers write the same few short phrases for every noise, and people say them too. What tells them apart is the
sound: how long the detector is sure of speech, or else a voice above the noise for about as long as the words take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from livekit import rtc
from livekit.local_inference import VAD, VAD_WINDOW_SAMPLES
from numpy.typing import NDArray

from .recognised import words_of

RATE = 16_000
"""Hertz; the detector's own."""
SURE = 0.5
"""Probability of speech. Of noises, babble alone comes so far, for 0.16 s; a single "you", quiet or not, 0.22 s."""
SURE_FIRST_S, SURE_NEXT_S = 0.16, 0.08
"""For so long it is sure of one word, and of each more. Measured: "you" 0.22, "thank you" 0.48 s at least."""
LIKELY = 0.3
"""Where the detector is less sure (deep voices saying "bye"), a voice must be heard as well."""
LIKELY_S = 0.1
VOICED_S = 0.15
LONGEST_WORD_S = 0.5
ABOVE_NOISE = 2.0
"""Times the noise: a voice in so much noise that it stays below is not understood anyway."""
NOISE_SHARE = 10
"""Percentile of the loudness that is taken for the noise: a stretch of speech has half a second before and after it."""
QUIETEST = 3.0
"""Root mean square of 16-bit samples; below this nothing is noise."""
VOICED = 0.6
"""How alike a voice is to itself one period later; noise stays below 0.4."""
LOWEST_HZ, HIGHEST_HZ = 70, 400
_HOP, _WINDOW = RATE // 100, RATE // 25

DOUBTFUL = frozenset(
    """thank you|thanks|thank you very much|thank you so much|thanks a lot|thank you all|thank you for listening|
    thanks for listening|thank you for your attention|you|you you|bye|bye bye|goodbye|good bye|bye for now|see you|
    see you later|see you next time|see you in the next one|i'll see you next time|i'll see you in the next one|okay|ok|
    so|oh|ah|uh|um|hm|hmm|mm|mmm|yeah|the|a|i|and|it|but|well|all right|alright|right|good night|i'm sorry|sorry|
    hello|hi|hey|what|the end|peace|music|applause|laughter|silence|static|noise|beep|click|cough|breathing|foreign|
    i don't know|i'm going to go|let's go|here we go|we'll be right back|amen|shh|psst|
    danke|danke schön|vielen dank|tschüss|bis zum nächsten mal|merci|merci beaucoup|au revoir|à bientôt|gracias|
    muchas gracias|adiós|hasta luego|hasta la próxima|obrigado|obrigada|muito obrigado|tchau|até logo|até a próxima|
    grazie|grazie mille|ciao|arrivederci|dank je|dank je wel|dank u wel|tot ziens|doei|dziękuję|dzięki|do widzenia|
    спасибо|большое спасибо|пока|до свидания|дякую|teşekkürler|teşekkür ederim|hoşça kalın|görüşürüz|děkuji|ďakujem|
    tack|tack så mycket|hej då|takk|tak|ha det|kiitos|köszönöm|viszlát|mulțumesc|ευχαριστώ|תודה|תודה רבה|شكرا|
    terima kasih|cảm ơn|谢谢|谢谢大家|謝謝|再见|再見|好|嗯|啊|ありがとう|ありがとうございました|ありがとうございます|
    ご清聴ありがとうございました|おやすみなさい|はい|うん|감사합니다|고맙습니다|네""".replace("\n    ", "").split("|")
)
"""What recognisers make of noises, in many languages."""


def is_doubtful(text: str, prompts: Iterable[str] = ()) -> bool:
    """Returns whether recognisers write such a text for noises: a phrase they like, or names they were told."""
    words = words_of(text)
    return " ".join(words) in DOUBTFUL or any(
        0 < len(words) <= 2 and set(words) <= set(words_of(prompt)) for prompt in prompts
    )


def can_hold(frames: Sequence[rtc.AudioFrame], text: str) -> bool:
    """Returns whether the words can have been said in the sound."""
    samples = _samples(frames)
    if len(samples) < VAD_WINDOW_SAMPLES:
        return False
    count = len(words_of(text))
    detector = VAD()
    starts = range(0, len(samples) - VAD_WINDOW_SAMPLES + 1, VAD_WINDOW_SAMPLES)
    likely = np.array([detector.predict(samples[start : start + VAD_WINDOW_SAMPLES]) for start in starts])
    window_s = VAD_WINDOW_SAMPLES / RATE
    if np.count_nonzero(likely > SURE) * window_s >= SURE_FIRST_S + SURE_NEXT_S * (count - 1):
        return True
    if np.count_nonzero(likely > LIKELY) * window_s < LIKELY_S * count:
        return False
    return VOICED_S <= voiced_s(samples) <= LONGEST_WORD_S * count + VOICED_S


def voiced_s(samples: NDArray[np.int16]) -> float:
    """Returns for how long a voice stands out of the noise, seconds."""
    if len(samples) < _WINDOW:
        return 0.0
    parts = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), _WINDOW)[::_HOP]
    loudness = np.sqrt(np.mean(np.square(parts), axis=1))
    loud = parts[loudness > ABOVE_NOISE * max(float(np.percentile(loudness, NOISE_SHARE)), QUIETEST)]
    if not len(loud):
        return 0.0
    window = np.hanning(_WINDOW)
    fading = _autocorrelation(window[None])[0]
    alike = _autocorrelation(loud * window) / fading
    periodic = alike[:, RATE // HIGHEST_HZ :].max(axis=1) > VOICED
    return float(np.count_nonzero(periodic) * _HOP / RATE)


def _autocorrelation(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.fft.irfft(np.square(np.abs(np.fft.rfft(parts, 4 * _WINDOW))))
    return np.asarray((found / np.maximum(found[:, :1], 1e-9))[:, : RATE // LOWEST_HZ], np.float64)


def _samples(frames: Sequence[rtc.AudioFrame]) -> NDArray[np.int16]:
    if not frames:
        return np.zeros(0, np.int16)
    first = frames[0]
    whole = np.concatenate([np.frombuffer(frame.data, np.int16) for frame in frames])
    mono = whole.reshape(-1, first.num_channels).mean(axis=1)
    count = round(len(mono) * RATE / first.sample_rate)
    if first.sample_rate != RATE and count:
        mono = np.interp(np.linspace(0, len(mono) - 1, count), np.arange(len(mono)), mono)
    return np.asarray(mono, np.int16)
