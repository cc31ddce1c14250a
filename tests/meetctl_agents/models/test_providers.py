"""Models of several providers, each through its own plugin against a server that speaks its protocol."""

from __future__ import annotations

import pkgutil
from collections.abc import AsyncIterator
from typing import Any

import livekit.plugins
import pytest
from livekit import rtc
from livekit.agents import llm, stt, tokenize, tts, utils
from livekit.agents.types import APIConnectOptions
from meetctl_agents.models.batch_stt import BatchSTT
from meetctl_agents.models.errors import MissingModelError, ModelError
from meetctl_agents.models.plugin import find_constructor
from meetctl_agents.models.providers import close_model, llm_from_endpoint, stt_from_endpoint, tts_from_endpoint
from meetctl_agents.text.clauses import ClauseTokenizer
from pydantic import SecretStr

from meetctl.protocol import Endpoint, Voice
from testing.agents.provider_servers import (
    SOUND,
    WORDS,
    Served,
    deepgram_routes,
    elevenlabs_routes,
    openai_routes,
    serving,
)

ONCE = APIConnectOptions(max_retry=0, timeout=10)


@pytest.fixture(autouse=True)
async def http_session() -> AsyncIterator[None]:
    """Opens what the programs open around their plugins."""
    async with utils.http_context.open():
        yield


def endpoint(provider: str, url: str | None = None, model: str = "", key: str = "key-1", **options: Any) -> Endpoint:
    return Endpoint(provider=provider, base_url=url, api_key=SecretStr(key), model=model, options=options)


def silence(seconds: float = 0.2, rate: int = 16_000) -> list[rtc.AudioFrame]:
    samples = int(seconds * rate)
    return [rtc.AudioFrame(bytes(2 * samples), rate, 1, samples)]


async def answer_of(model: llm.LLM[Any]) -> str:
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="When?")
    text = ""
    async with model.chat(chat_ctx=context, tools=[], conn_options=ONCE) as stream:
        async for chunk in stream:
            text += (chunk.delta and chunk.delta.content) or ""
    await close_model(model)
    return text


async def sound_of(model: tts.TTS[Any], text: str) -> bytes:
    sound = b""
    async with model.synthesize(text, conn_options=ONCE) as stream:
        async for audio in stream:
            sound += bytes(audio.frame.data)
    await close_model(model)
    if isinstance(model, tts.StreamAdapter):
        await model._wrapped_tts.aclose()  # an adapter leaves it open
    return sound


async def words_of(model: stt.STT[Any]) -> str:
    event = await model.recognize(silence(), conn_options=ONCE)
    await close_model(model)
    if (client := getattr(model, "_client", None)) is not None:
        await client.close()  # OpenAI's plugin leaves that of its transcription open
    return event.alternatives[0].text


async def test_openai_thinks_speaks_and_listens_with_what_the_roster_says() -> None:
    served = Served()
    async with serving(*openai_routes(served), served=served):
        url = f"{served.url}/v1"
        assert await answer_of(llm_from_endpoint(endpoint("openai", url, "gpt-x", temperature=0.2))) == WORDS
        voice = tts_from_endpoint(endpoint("openai", url, "tts-1"), Voice(name="coral"), ClauseTokenizer())
        assert (await sound_of(voice, "Hello.")).startswith(SOUND)
        ears = stt_from_endpoint(endpoint("openai", url, "whisper-1"), "en", ("Ada", "Max"))
        assert await words_of(ears) == WORDS
    asked, spoken, heard = served.asked
    assert {request.key for request in served.asked} == {"Bearer key-1"}
    assert (asked.body["model"], asked.body["temperature"]) == ("gpt-x", 0.2)
    given = {"input": "Hello.", "model": "tts-1", "voice": "coral", "response_format": "pcm"}
    assert {name: spoken.body[name] for name in given} == given
    assert (heard.body["model"], heard.body["prompt"], heard.body["language"]) == ("whisper-1", "Ada, Max", "en")


async def test_ollama_is_openai_at_another_address_and_needs_no_key() -> None:
    served = Served()
    async with serving(*openai_routes(served, fingerprint="fp_ollama"), served=served):
        model = llm_from_endpoint(endpoint("openai", f"{served.url}/v1", "llama3.2", key=""))
        assert await answer_of(model) == WORDS
    assert served.asked[0].key == "Bearer none"
    assert served.asked[0].body["model"] == "llama3.2"


async def test_deepgram_listens_to_a_recording_and_speaks_with_a_voice_that_is_a_model() -> None:
    served = Served()
    async with serving(*deepgram_routes(served), served=served):
        ears = stt_from_endpoint(endpoint("deepgram", f"{served.url}/v1/listen", "nova-3"), "en", ())
        assert await words_of(ears) == WORDS
        speak = endpoint("deepgram", f"{served.url}/v1/speak", "aura-2-thalia-en")
        voice = tts_from_endpoint(speak, Voice(name="aura-2-orion-en"), ClauseTokenizer())
        assert (await sound_of(voice, "Hello.")).startswith(SOUND)
        plain = tts_from_endpoint(speak, Voice(), ClauseTokenizer())
        await sound_of(plain, "Hello.")
    heard, spoken, other = served.asked
    assert {request.key for request in served.asked} == {"Token key-1"}
    assert (heard.query["model"], heard.query["language"], heard.body) == ("nova-3", "en", b"RIFF")
    assert (spoken.query["model"], spoken.query["encoding"]) == ("aura-2-orion-en", "linear16")
    assert spoken.body == {"text": "Hello."}
    assert other.query["model"] == "aura-2-thalia-en"


async def test_a_model_that_only_takes_streams_transcribes_a_whole_stretch() -> None:
    served = Served()
    async with serving(*deepgram_routes(served), served=served):
        constructor = find_constructor("deepgram", "STT")
        live = constructor.make(endpoint("deepgram", f"{served.url}/v1/listen", "nova-3"), needed={}, welcome={})
        assert await words_of(BatchSTT(live)) == " ".join(WORDS.split(" on "))
    (heard,) = served.asked
    assert heard.query["encoding"] == "linear16"
    assert heard.body >= 2 * 16_000 * 0.2


async def test_elevenlabs_speaks_in_raw_samples_and_listens() -> None:
    served = Served()
    async with serving(*elevenlabs_routes(served), served=served):
        url = f"{served.url}/v1"
        flash = endpoint("elevenlabs", url, "eleven_flash_v2_5", streaming_latency=3)
        voice = tts_from_endpoint(flash, Voice(name="rachel"), ClauseTokenizer())
        assert (await sound_of(voice, "Hello.")).startswith(SOUND)
        ears = stt_from_endpoint(endpoint("elevenlabs", url, "scribe_v1"), "en", ())
        assert await words_of(ears) == WORDS
    spoken, heard = served.asked
    assert {request.key for request in served.asked} == {"key-1"}
    assert spoken.path == "/v1/text-to-speech/rachel/stream"
    assert (spoken.query["output_format"], spoken.query["optimize_streaming_latency"]) == ("pcm_24000", "3")
    assert (spoken.body["text"], spoken.body["model_id"]) == ("Hello.", "eleven_flash_v2_5")
    assert (heard.body["model_id"], heard.body["language_code"]) == ("scribe_v1", "en")


INSTALLED = [module.name for module in pkgutil.iter_modules(livekit.plugins.__path__)]
MODELS = [
    (provider, kind)
    for provider in INSTALLED
    for kind in ("LLM", "STT", "TTS")
    if hasattr(__import__(f"livekit.plugins.{provider}", fromlist=[kind]), kind)
]


def test_the_plugins_that_are_to_be_tried_are_installed() -> None:
    assert {"openai", "deepgram", "elevenlabs"} <= {provider for provider, _ in MODELS}


@pytest.mark.parametrize(("provider", "kind"), MODELS)
async def test_every_model_of_every_installed_plugin_can_be_made(provider: str, kind: str) -> None:
    given = endpoint(provider, model="m-1" if provider == "openai" else "")
    if kind == "LLM":
        assert isinstance(llm_from_endpoint(given), llm.LLM)
    elif kind == "STT":
        ears = stt_from_endpoint(given, "en", ("Ada",))
        assert isinstance(ears, stt.STT)
        assert ears.capabilities.offline_recognize
    else:
        assert isinstance(tts_from_endpoint(given, Voice(), ClauseTokenizer()), tts.TTS)


def test_what_cannot_be_made_says_why_and_what_to_do() -> None:
    tokenizer: tokenize.SentenceTokenizer = ClauseTokenizer()
    with pytest.raises(MissingModelError, match="no `llm`"):
        llm_from_endpoint(None)
    with pytest.raises(ModelError, match="plugin for cartesia is not installed") as missing:
        tts_from_endpoint(endpoint("cartesia"), Voice(), tokenizer)
    assert missing.value.hint == "pip install livekit-plugins-cartesia"
    with pytest.raises(ModelError, match="deepgram has no language model") as unable:
        llm_from_endpoint(endpoint("deepgram"))
    assert unable.value.hint == "it has transcription and speech"
    with pytest.raises(ModelError, match="openai's language model knows no option 'temprature'") as misspelt:
        llm_from_endpoint(endpoint("openai", None, "gpt-x", temprature=0.1))
    assert misspelt.value.hint == "did you mean temperature?"
    with pytest.raises(ModelError, match=r"deepgram's speech refuses .*DEEPGRAM_API_KEY"):
        tts_from_endpoint(endpoint("deepgram", key=""), Voice(), tokenizer)
    with pytest.raises(ModelError, match="is not installed"):
        llm_from_endpoint(endpoint("../os"))


def test_a_plugin_that_has_no_place_for_something_says_so() -> None:
    constructor = find_constructor("deepgram", "TTS")
    with pytest.raises(ModelError, match="deepgram's speech takes no voice") as refused:
        constructor.make(endpoint("deepgram"), needed={"voice": "rachel"}, welcome={})
    assert "sample_rate" in (refused.value.hint or "")
    assert constructor.name_of("language") is None
    assert find_constructor("elevenlabs", "TTS").name_of("voice") == "voice_id"
