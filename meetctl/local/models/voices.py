"""The local voices: one speaker, shifted in pitch and in the size of the vocal tract. Values only; makes no sound.

A voice is asked for by name (`alto`), by factors (`pitch=1.05,formant=0.95`), or by both (`alto,pitch=1.05`: factors
on top of the name's own). OpenAI's voice names are understood too, so that a client's default works.
"""

from __future__ import annotations

from dataclasses import dataclass

PITCH_RANGE = (0.5, 2.0)
FORMANT_RANGE = (0.7, 1.4)


@dataclass(frozen=True, slots=True)
class LocalVoice:
    """Factors on the bundled speaker."""

    pitch: float = 1.0
    """On the fundamental frequency."""
    formant: float = 1.0
    """On the resonances: above 1 a smaller speaker, below 1 a larger one."""


VOICES = {
    "alto": LocalVoice(1.0, 1.0),
    "soprano": LocalVoice(1.22, 1.1),
    "mezzo": LocalVoice(1.1, 0.98),
    "contralto": LocalVoice(0.86, 0.95),
    "tenor": LocalVoice(0.72, 0.9),
    "baritone": LocalVoice(0.61, 0.87),
    "bass": LocalVoice(0.52, 0.82),
    "treble": LocalVoice(1.4, 1.18),
}

ALIASES = {
    "alloy": "alto",
    "ash": "tenor",
    "ballad": "contralto",
    "cedar": "bass",
    "coral": "mezzo",
    "echo": "baritone",
    "fable": "contralto",
    "marin": "alto",
    "nova": "soprano",
    "onyx": "bass",
    "sage": "mezzo",
    "shimmer": "treble",
    "verse": "tenor",
}
"""OpenAI's names, each to the nearest of ours."""


def parse_voice(text: str) -> LocalVoice:
    """Returns the voice of a name, of factors, or of a name with factors on top.

    Raises:
        ValueError: naming what was not understood and what would be.
    """
    pitch, formant = 1.0, 1.0
    for part in text.lower().split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            voice = VOICES.get(ALIASES.get(name, name))
            if voice is None:
                raise ValueError(f"no voice {name!r}; there are {', '.join(VOICES)}, and pitch=1.05,formant=0.95")
            pitch, formant = pitch * voice.pitch, formant * voice.formant
        elif name == "pitch":
            pitch *= _factor(name, value)
        elif name == "formant":
            formant *= _factor(name, value)
        else:
            raise ValueError(f"{name!r} is no property of a voice; there are pitch and formant")
    _check("pitch", pitch, PITCH_RANGE)
    _check("formant", formant, FORMANT_RANGE)
    return LocalVoice(pitch, formant)


def _factor(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{name}={value!r} is no number") from None


def _check(name: str, value: float, bounds: tuple[float, float]) -> None:
    if not bounds[0] <= value <= bounds[1]:
        raise ValueError(f"{name} must lie between {bounds[0]} and {bounds[1]}, not {value:g}")
