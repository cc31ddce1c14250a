"""Language, speech and transcription models, made from an Endpoint: by OpenAI's HTTP API, or any of LiveKit's plugins.

The local server, Ollama and whatever else speaks OpenAI's API come through the `openai` plugin with a base URL.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

import livekit.plugins.openai  # noqa: F401  what nearly every agent uses is loaded before the process is forked
import openai
from livekit.agents import llm, stt, tokenize, tts

from meetctl.protocol import Endpoint, Voice

from .model_errors import MissingModelError
from .offline import Offline
from .openai_client import openai_client
from .plugin import find_constructor

NO_KEY = "none"
"""OpenAI's client insists on a key; a local server looks at none."""
ANY_VOICE = "alloy"
"""Known to OpenAI's servers and to the local one."""
VOICE_IS_MODEL = frozenset({"deepgram"})
"""Where each voice is a model of its own."""
RAW_SOUND = {"response_format": "pcm", "encoding": "pcm_24000"}
"""Of OpenAI and ElevenLabs, so that nothing waits for a decoder. Others have their own words, and raw sound anyway."""
_clients: weakref.WeakKeyDictionary[Any, openai.AsyncClient] = weakref.WeakKeyDictionary()
"""By the models that were made with them."""
_RAW_OF = {"openai": "response_format", "elevenlabs": "encoding"}


def llm_from_endpoint(endpoint: Endpoint | None) -> llm.LLM[Any]:
    """Returns the language model.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint says.
    """
    given = _required(endpoint, "llm")
    model: llm.LLM[Any] = _made(given, "LLM", needed={}, welcome={})
    return model


def reader_from_endpoint(endpoint: Endpoint | None) -> llm.LLM[Any] | None:
    """Returns the same language model to read ahead with, where that is worth it: asked for a token, when it is idle.

    Raises:
        ModelError: if its plugin does not take what the endpoint says.
    """
    if endpoint is None or not endpoint.reads_ahead:
        return None
    options = {**endpoint.options, "max_completion_tokens": 1, "service_tier": "flex"}
    return llm_from_endpoint(endpoint.model_copy(update={"options": options}))


def tts_from_endpoint(endpoint: Endpoint | None, voice: Voice, tokenizer: tokenize.SentenceTokenizer) -> tts.TTS[Any]:
    """Returns the speech model; one that takes no streams is fed the tokenizer's pieces.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint and the voice say.
    """
    given = _required(endpoint, "tts")
    needed: dict[str, Any] = {}
    if given.provider == "openai":
        needed["voice"] = voice_parameter(voice)
    elif given.provider in VOICE_IS_MODEL:
        given = given.model_copy(update={"model": voice.name or given.model})
    elif voice.name is not None:
        needed["voice"] = voice.name
    raw = _RAW_OF.get(given.provider)
    welcome = {raw: RAW_SOUND[raw]} if raw else {}
    model: tts.TTS[Any] = _made(given, "TTS", needed=needed, welcome=welcome)
    if model.capabilities.streaming:
        return model
    adapter = tts.StreamAdapter(tts=model, sentence_tokenizer=tokenizer)
    if client := _clients.get(model):
        _clients[adapter] = client
    return adapter


def stt_from_endpoint(endpoint: Endpoint | None, language: str, names: tuple[str, ...]) -> stt.STT[Any]:
    """Returns the transcription model; the names are told to it where it can be told: it would get them wrong.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint says.
    """
    given = _required(endpoint, "stt")
    welcome: dict[str, Any] = {"language": language}
    if given.provider == "openai":
        welcome["use_realtime"] = False
        if names:
            welcome["prompt"] = ", ".join(names)
    model: stt.STT[Any] = _made(given, "STT", needed={}, welcome=welcome)
    return model if model.capabilities.offline_recognize else Offline(model)


async def close_model(model: llm.LLM[Any] | stt.STT[Any] | tts.TTS[Any]) -> None:
    """Closes a model, and the client that it was made with: the plugin closes only what it has made itself."""
    await model.aclose()
    if client := _clients.get(model):
        await client.close()


def voice_parameter(voice: Voice) -> str:
    """Returns the `voice` of a speech request: `coral`, `pitch=0.62,formant=0.86` (of the local server), or both."""
    changes = [f"{key}={value:g}" for key, value in (("pitch", voice.pitch), ("formant", voice.formant)) if value != 1]
    return ",".join([voice.name, *changes] if voice.name else changes) or ANY_VOICE


def _made(endpoint: Endpoint, kind: str, *, needed: Mapping[str, Any], welcome: Mapping[str, Any]) -> Any:
    constructor = find_constructor(endpoint.provider, kind)
    if endpoint.provider != "openai":
        return constructor.make(endpoint, needed=needed, welcome=welcome)
    client = openai_client(endpoint)
    model = constructor.make(endpoint, needed=needed, welcome=welcome, internal={"client": client})
    _clients[model] = client
    return model


def _required(endpoint: Endpoint | None, key: str) -> Endpoint:
    if endpoint is None:
        raise MissingModelError(f"the assignment names no `{key}`", hint=f"set `defaults.{key}` in the roster")
    if endpoint.provider == "openai" and not endpoint.api_key.get_secret_value():
        return endpoint.model_copy(update={"api_key": type(endpoint.api_key)(NO_KEY)})
    return endpoint
