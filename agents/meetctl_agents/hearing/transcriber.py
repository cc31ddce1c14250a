"""Turns a stretch of speech into words with the transcription model. Reports that the model fails; never raises it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from livekit import rtc
from livekit.agents import APIConnectOptions, stt

from ..models.providers import prompts_of
from ..models.speech_faults import SpeechFaults
from .evidence import can_hold, is_doubtful
from .recognised import said_in

PATIENCE_S = 12.0
"""A local model needs 0.2 to 0.5 s for a sentence, and a few seconds on a busy machine; then the words are given up."""
FAILS = "the transcription model fails"

logger = logging.getLogger(__name__)


class Transcriber:
    """Transcribes, a stretch at a time."""

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
