"""Language, speech and transcription models, made from an Endpoint: by OpenAI's HTTP API, or any of LiveKit's plugins.

The local server, Ollama and whatever else speaks OpenAI's API come through the `openai` plugin with a base URL.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import livekit.plugins.openai  # noqa: F401  what nearly every agent uses is loaded before the process is forked
import openai
from livekit.agents import llm, stt, tokenize, tts, vad

from meetctl.protocol import Endpoint, Voice

from .batch_stt import BatchSTT
from .errors import MissingModelError
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
AUTO = "auto"
ATTEMPT_S = 10.0
"""Until a language model that says nothing is left for the next."""
AnyModel = TypeVar("AnyModel", llm.LLM[Any], stt.STT[Any], tts.TTS[Any])
_members: weakref.WeakKeyDictionary[Any, tuple[Any, ...]] = weakref.WeakKeyDictionary()
"""By the adapters that ask one after the other, whom they ask."""
_clients: weakref.WeakKeyDictionary[Any, openai.AsyncClient] = weakref.WeakKeyDictionary()
"""By the models that were made with them."""
_prompts: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
"""By the transcription models, what they were told to expect."""
_RAW_OF = {"openai": "response_format", "elevenlabs": "encoding"}


def llm_from_endpoint(endpoint: Endpoint | None) -> llm.LLM[Any]:
    """Returns the language model.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint says.
    """
    given = _required(endpoint, "llm")
    models: list[llm.LLM[Any]] = [_made(one, "LLM", needed={}, welcome={}) for one in in_a_row(given)]
    if len(models) == 1:
        return models[0]
    return _owner_of(llm.FallbackAdapter(models, attempt_timeout=ATTEMPT_S), models)


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
    voices = [_voice_from(one, one.voice or voice, tokenizer) for one in in_a_row(_required(endpoint, "tts"))]
    if len(voices) == 1:
        return voices[0]
    return _owner_of(tts.FallbackAdapter(voices, max_retry_per_tts=0), voices)


def _voice_from(given: Endpoint, voice: Voice, tokenizer: tokenize.SentenceTokenizer) -> tts.TTS[Any]:
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


def stt_from_endpoint(
    endpoint: Endpoint | None, language: str | None, names: tuple[str, ...], detector: vad.VAD | None = None
) -> stt.STT[Any]:
    """Returns the transcription model; the names are told to it where it can be told: it would get them wrong.

    Args:
        language: a code, `auto` for whichever is spoken, None = nothing is sent.
        detector: of speech; where several are asked in a row, LiveKit's adapter wants one, though it is not asked.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint says.
    """
    models = [_ears_from(one, language, names) for one in in_a_row(_required(endpoint, "stt"))]
    if len(models) == 1:
        return models[0]
    adapter: stt.STT[Any] = stt.FallbackAdapter(models, vad=detector, max_retry_per_stt=0, attempt_timeout=ATTEMPT_S)
    return _owner_of(adapter, models)


def _ears_from(given: Endpoint, language: str | None, names: tuple[str, ...]) -> stt.STT[Any]:
    welcome: dict[str, Any] = {"language": language}
    if language in (None, AUTO) and "language" not in given.options:
        welcome = {"detect_language": True}
    if given.provider == "openai":
        welcome["use_realtime"] = False
        if names:
            welcome["prompt"] = ", ".join(names)
    model: stt.STT[Any] = _made(given, "STT", needed={}, welcome=welcome)
    ears = model if model.capabilities.offline_recognize else BatchSTT(model)
    _prompts[ears] = str(given.options.get("prompt", welcome.get("prompt", "")))
    return ears


def prompts_of(model: stt.STT[Any]) -> tuple[str, ...]:
    """Returns what a transcription model, or each that is asked in a row, was told to expect."""
    return tuple(_prompts[one] for one in members_of(model) or (model,) if _prompts.get(one))


def in_a_row(endpoint: Endpoint) -> tuple[Endpoint, ...]:
    """Returns an endpoint and those that are asked where it fails, each alone."""
    first, *others = (endpoint.model_copy(update={"fallbacks": ()}), *endpoint.fallbacks)
    return (first, *(_with_key(one) for one in others))


def members_of(model: object) -> tuple[Any, ...]:
    """Returns whom an adapter asks one after the other; nobody for a model that is alone."""
    return _members.get(model, ())


def _owner_of(adapter: AnyModel, models: Sequence[AnyModel]) -> AnyModel:
    _members[adapter] = tuple(models)
    return adapter


async def close_model(model: llm.LLM[Any] | stt.STT[Any] | tts.TTS[Any]) -> None:
    """Closes a model, and the client that it was made with: the plugin closes only what it has made itself."""
    await model.aclose()
    for member in _members.get(model, ()):
        await close_model(member)
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
    return _with_key(endpoint)


def _with_key(endpoint: Endpoint) -> Endpoint:
    if endpoint.provider == "openai" and not endpoint.api_key.get_secret_value():
        return endpoint.model_copy(update={"api_key": type(endpoint.api_key)(NO_KEY)})
    return endpoint
