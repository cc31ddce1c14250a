"""Language, speech and transcription models, made from an Endpoint. One way only: OpenAI's HTTP API at a base URL."""

from __future__ import annotations

from typing import Any

from livekit.agents import llm, stt, tokenize, tts
from livekit.agents.types import NOT_GIVEN
from livekit.plugins import openai

from meetctl.errors import MeetctlError
from meetctl.protocol import Endpoint, Voice

NO_KEY = "none"
"""The client insists on a key; a local server looks at none."""
ANY_VOICE = "alloy"
"""Known to OpenAI's servers and to the local one."""


class MissingModelError(MeetctlError):
    """The assignment lacks a model that the program cannot do without."""

    code = "missing_model"


def llm_from_endpoint(endpoint: Endpoint | None) -> llm.LLM[Any]:
    """Returns the language model.

    Raises:
        MissingModelError: if there is no endpoint.
    """
    given = _required(endpoint, "llm")
    return openai.LLM(**_parameters(given))


def tts_from_endpoint(endpoint: Endpoint | None, voice: Voice, tokenizer: tokenize.SentenceTokenizer) -> tts.TTS[Any]:
    """Returns the speech model, cut into the tokenizer's pieces; raw samples, so that nothing waits for a decoder.

    Raises:
        MissingModelError: if there is no endpoint.
    """
    given = _required(endpoint, "tts")
    whole = openai.TTS(voice=voice_parameter(voice), response_format="pcm", **_parameters(given))
    return tts.StreamAdapter(tts=whole, sentence_tokenizer=tokenizer)


def stt_from_endpoint(endpoint: Endpoint | None, language: str, names: tuple[str, ...]) -> stt.STT[Any]:
    """Returns the transcription model; the names are told to it, they are what it would get wrong.

    Raises:
        MissingModelError: if there is no endpoint.
    """
    given = _required(endpoint, "stt")
    prompt = ", ".join(names) if names else NOT_GIVEN
    return openai.STT(language=language, prompt=prompt, use_realtime=False, **_parameters(given))


def voice_parameter(voice: Voice) -> str:
    """Returns the `voice` of a speech request: `coral`, `pitch=0.62,formant=0.86` (of the local server), or both."""
    changes = [f"{key}={value:g}" for key, value in (("pitch", voice.pitch), ("formant", voice.formant)) if value != 1]
    return ",".join([voice.name, *changes] if voice.name else changes) or ANY_VOICE


def _required(endpoint: Endpoint | None, key: str) -> Endpoint:
    if endpoint is None:
        raise MissingModelError(f"the assignment names no `{key}`", hint=f"set `defaults.{key}` in the roster")
    return endpoint


def _parameters(endpoint: Endpoint) -> dict[str, Any]:
    key = endpoint.api_key.get_secret_value() or NO_KEY
    address = {"base_url": endpoint.base_url} if endpoint.base_url else {}
    return {**endpoint.options, **address, "api_key": key, "model": endpoint.model}
