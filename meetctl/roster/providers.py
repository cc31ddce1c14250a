"""What meetctl knows of LiveKit's plugins for models: what each can do, and which keys it asks for. Imports none.

The table is of what the plugins read, each under the name its own documentation uses. A plugin that is not in it can
be used as well, once it is installed; then `<PROVIDER>_API_KEY` is taken for its key.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata

PARTS = {"llm": "language model", "stt": "transcription", "tts": "speech"}
"""What a model can be, and how messages call it."""
REALTIME = frozenset({"openai"})
"""Plugins with a model that speaks by itself and can be told to leave it to others whose turn it is. Those of AWS,
Google, NVIDIA, Phonic, Ultravox and xAI decide it themselves, or cannot be told what others said."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a plugin has to be given from the environment."""

    key: str | None = None
    """The variable that holds the API key."""
    variables: tuple[str, ...] = ()
    """What the plugin itself looks for in its environment, each of which it cannot do without."""
    optional: tuple[str, ...] = ()
    """What it looks for too."""
    unless: str | None = None
    """An option with which it needs no key."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One plugin."""

    need: Need
    parts: frozenset[str]
    others: Mapping[str, Need] = field(default_factory=dict)
    """Where a part needs something else."""
    package: str | None = None
    """Its name for pip, where that is not `livekit-plugins-` and the provider."""

    def need_of(self, part: str) -> Need:
        return self.others.get(part, self.need)


def _keyed(key: str, parts: str, *optional: str) -> Provider:
    return Provider(Need(key, optional=optional), frozenset(parts.split()))


_AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION")
_AZURE_SPEECH = Need(variables=("AZURE_SPEECH_KEY", "AZURE_SPEECH_REGION"))
_GOOGLE_CLOUD = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")

PROVIDERS: Mapping[str, Provider] = {
    "anthropic": _keyed("ANTHROPIC_API_KEY", "llm"),
    "assemblyai": _keyed("ASSEMBLYAI_API_KEY", "stt"),
    "asyncai": _keyed("ASYNCAI_API_KEY", "tts"),
    # Keys may as well be in ~/.aws, so none is asked for.
    "aws": Provider(Need(optional=_AWS), frozenset(PARTS)),
    "azure": Provider(
        Need("AZURE_OPENAI_API_KEY", ("AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION")),
        frozenset(PARTS),
        {"stt": _AZURE_SPEECH, "tts": _AZURE_SPEECH},
    ),
    "baseten": _keyed("BASETEN_API_KEY", "llm stt tts", "BASETEN_MODEL_ENDPOINT"),
    "bland": _keyed("BLAND_API_KEY", "tts"),
    "cambai": _keyed("CAMB_API_KEY", "tts"),
    "cartesia": _keyed("CARTESIA_API_KEY", "stt tts"),
    "cerebras": _keyed("CEREBRAS_API_KEY", "llm"),
    "clova": Provider(Need(variables=("CLOVA_STT_SECRET_KEY", "CLOVA_STT_INVOKE_URL")), frozenset({"stt"})),
    "deepgram": _keyed("DEEPGRAM_API_KEY", "stt tts"),
    "elevenlabs": _keyed("ELEVEN_API_KEY", "stt tts"),
    "fal": Provider(Need(variables=("FAL_KEY",)), frozenset({"stt"})),
    "fireworksai": _keyed("FIREWORKS_API_KEY", "stt"),
    "fishaudio": _keyed("FISH_API_KEY", "tts"),
    "gladia": _keyed("GLADIA_API_KEY", "stt"),
    "gnani": _keyed("GNANI_API_KEY", "stt tts"),
    # Speech goes by Google Cloud's credentials, which may be the machine's own.
    "google": Provider(
        Need("GOOGLE_API_KEY", optional=_GOOGLE_CLOUD, unless="vertexai"),
        frozenset(PARTS),
        {"stt": Need(optional=_GOOGLE_CLOUD), "tts": Need(optional=_GOOGLE_CLOUD)},
    ),
    "gradium": _keyed("GRADIUM_API_KEY", "llm stt tts"),
    "groq": _keyed("GROQ_API_KEY", "llm stt tts"),
    "hume": _keyed("HUME_API_KEY", "tts"),
    "inworld": _keyed("INWORLD_API_KEY", "stt tts"),
    "lmnt": _keyed("LMNT_API_KEY", "tts"),
    "minimax": Provider(Need("MINIMAX_API_KEY"), frozenset({"tts"}), package="livekit-plugins-minimax-ai"),
    "mistralai": _keyed("MISTRAL_API_KEY", "llm stt tts"),
    "murf": _keyed("MURF_API_KEY", "tts"),
    "neuphonic": _keyed("NEUPHONIC_API_KEY", "tts"),
    "nvidia": _keyed("NVIDIA_API_KEY", "stt tts"),
    "openai": _keyed("OPENAI_API_KEY", "llm stt tts"),
    "perplexity": _keyed("PERPLEXITY_API_KEY", "llm"),
    "resemble": _keyed("RESEMBLE_API_KEY", "tts"),
    "respeecher": _keyed("RESPEECHER_API_KEY", "tts"),
    "rime": _keyed("RIME_API_KEY", "tts"),
    "rtzr": Provider(Need(variables=("RTZR_CLIENT_ID", "RTZR_CLIENT_SECRET")), frozenset({"stt"})),
    "sarvam": _keyed("SARVAM_API_KEY", "llm stt tts"),
    "simplismart": _keyed("SIMPLISMART_API_KEY", "stt tts"),
    "slng": _keyed("SLNG_API_KEY", "stt tts"),
    "smallestai": _keyed("SMALLEST_API_KEY", "stt tts"),
    "soniox": _keyed("SONIOX_API_KEY", "stt tts"),
    "speechify": _keyed("SPEECHIFY_API_KEY", "tts"),
    "speechmatics": _keyed("SPEECHMATICS_API_KEY", "stt tts"),
    "spitch": Provider(Need(variables=("SPITCH_API_KEY",)), frozenset({"stt", "tts"})),
    "telnyx": _keyed("TELNYX_API_KEY", "stt tts"),
    "upliftai": _keyed("UPLIFTAI_API_KEY", "tts"),
    "xai": _keyed("XAI_API_KEY", "llm stt tts"),
}

SERVED_BY_OPENAI = {
    "ollama": "http://127.0.0.1:11434/v1",
    "vllm": "http://127.0.0.1:8000/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
"""What people take for a provider and what is a server with OpenAI's HTTP API, with its usual address."""


def is_installed(provider: str) -> bool:
    """Returns whether agents could import the plugin; imports nothing but the empty packages around it."""
    try:
        return importlib.util.find_spec(f"livekit.plugins.{provider}") is not None
    except ImportError:
        return False


def package_of(provider: str) -> str:
    """Returns what pip calls the plugin."""
    known = PROVIDERS.get(provider)
    return (known and known.package) or f"livekit-plugins-{provider.replace('_', '-')}"


def need_of(provider: str, part: str) -> Need:
    """Returns what the plugin asks for; of one that nobody knows, a key that it may do without."""
    known = PROVIDERS.get(provider)
    return known.need_of(part) if known else Need(optional=(f"{provider.upper()}_API_KEY",))


@cache
def install_hint(provider: str) -> str:
    """Returns the command that installs the plugin, in the version that fits the installed agents."""
    package = package_of(provider)
    try:
        # Plugins of another version ask for other agents, which pip would install over ours.
        fitting = f"~={metadata.version('livekit-agents')}" if provider in PROVIDERS else ""
    except metadata.PackageNotFoundError:
        fitting = ""
    return f"pip install {package}{fitting}"
