"""Any of LiveKit's plugins, made from an Endpoint by looking at what its constructor takes. Knows no provider by name.

Plugins name the same thing differently (`voice`, `voice_id`, `speaker`), so each thing is given under the first of its
names that the constructor has. What it does not have is an error that says so, never silently left out.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from meetctl.protocol import Endpoint

from .errors import ModelError

NAMES: Mapping[str, tuple[str, ...]] = {
    "model": ("model", "model_id"),
    "api_key": ("api_key", "api_token", "speech_key", "secret"),
    "base_url": ("base_url", "api_url", "http_url", "endpoint", "url"),
    "voice": ("voice", "voice_id", "voice_name", "speaker", "reference_id"),
    "language": ("language", "language_code"),
}
"""What we call it, and what plugins do."""
PARTS = {"LLM": "language model", "STT": "transcription", "TTS": "speech"}
REALTIME = "RealtimeModel"
_WORDS = {**PARTS, REALTIME: "realtime model"}

BODY = frozenset(
    "stop seed n logprobs top_logprobs logit_bias presence_penalty frequency_penalty repetition_penalty repeat_penalty "
    "repeat_last_n top_k min_p typical_p mirostat max_tokens chat_template_kwargs enable_thinking think thinking "
    "reasoning reasoning_format keep_alive num_ctx cache_prompt grammar response_format prediction modalities".split()
)
"""What servers with OpenAI's API take in a request for an answer, and the plugin has no parameter for."""

_INTERNAL = frozenset({"self", "http_session", "client"})


@dataclass(frozen=True, slots=True)
class Constructor:
    """A plugin's class and what it can be made with."""

    provider: str
    kind: str
    """`LLM`, `STT`, `TTS` or `RealtimeModel`."""
    made_by: Any
    parameters: tuple[str, ...]
    takes_anything: bool

    def name_of(self, what: str) -> str | None:
        """Returns the parameter that stands for it, None where there is none."""
        names = NAMES.get(what, (what,))
        found = next((name for name in names if name in self.parameters), None)
        return names[0] if found is None and self.takes_anything else found

    def make(
        self,
        endpoint: Endpoint,
        *,
        needed: Mapping[str, Any],
        welcome: Mapping[str, Any],
        internal: Mapping[str, Any] | None = None,
    ) -> Any:
        """Returns the model.

        Args:
            needed: what somebody asked for, by our names.
            welcome: what is given where the plugin takes it and nobody asked for something else.
            internal: what no roster can write, by the plugin's own names.

        Raises:
            ModelError: if it does not take what is needed, or refuses it.
        """
        given: dict[str, Any] = {}
        key = endpoint.api_key.get_secret_value()
        model, base_url = endpoint.model, endpoint.base_url
        # The plugin says itself what it misses; a key that it has no place for, it may find in its environment.
        if key and (name := self.name_of("api_key")):
            given[name] = key
        for what, value in {"model": model or None, "base_url": base_url, **needed}.items():
            if value is not None:
                given[self._required(what)] = value
        body: dict[str, Any] = {}
        for option, value in endpoint.options.items():
            if option in self.parameters or self.takes_anything:
                given[option] = value
            elif option in BODY and "extra_body" in self.parameters:
                body[option] = value
            else:
                raise self._unknown_option(option)
        if body:
            given["extra_body"] = {**given.get("extra_body", {}), **body}
        for what, value in welcome.items():
            if (name := self.name_of(what)) is not None:
                given.setdefault(name, value)
        try:
            return self.made_by(**given, **(internal or {}))
        except Exception as error:  # each plugin has its own ways to say what it misses
            raise ModelError(
                f"{self._words} refuses what it is made with: {type(error).__name__}: {error}",
                hint=f"it takes {', '.join(self.parameters)}; set them as options: {{…}} in the roster",
            ) from error

    @property
    def _words(self) -> str:
        return f"{self.provider}'s {_WORDS[self.kind]}"

    def _required(self, what: str) -> str:
        name = self.name_of(what)
        if name is None:
            raise ModelError(
                f"{self._words} takes no {what}",
                hint=f"remove it; this one takes {', '.join(self.parameters)}",
            )
        return name

    def _unknown_option(self, option: str) -> ModelError:
        like = difflib.get_close_matches(option, self.parameters, n=1)
        hint = f"did you mean {like[0]}?" if like else f"it takes {', '.join(self.parameters)}"
        return ModelError(f"{self._words} knows no option {option!r}", hint=hint)


def find_constructor(provider: str, kind: str) -> Constructor:
    """Imports the plugin and returns how its model is made. `kind` is `LLM`, `STT`, `TTS` or `RealtimeModel`.

    Raises:
        ModelError: if it is not installed, cannot be imported, or has no such model.
    """
    name = f"livekit.plugins.{provider}"
    if not provider.isidentifier() or importlib.util.find_spec(name) is None:
        package = f"livekit-plugins-{provider.replace('_', '-')}"
        raise ModelError(f"the plugin for {provider} is not installed", hint=f"pip install {package}")
    try:
        module = importlib.import_module(name)
    except Exception as error:  # whatever its own imports do
        raise ModelError(
            f"the plugin for {provider} cannot be imported: {type(error).__name__}: {error}",
            hint=f"pip install --force-reinstall livekit-plugins-{provider.replace('_', '-')}",
        ) from error
    made_by = getattr(getattr(module, "realtime", None) if kind == REALTIME else module, kind, None)
    if made_by is None:
        able = [PARTS[other] for other in PARTS if hasattr(module, other)]
        raise ModelError(f"{provider} has no {_WORDS[kind]}", hint=f"it has {' and '.join(able) or 'none of these'}")
    parameters = inspect.signature(made_by.__init__).parameters.values()
    return Constructor(
        provider,
        kind,
        made_by,
        tuple(_usable(parameters)),
        any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters),
    )


def _usable(parameters: Iterable[inspect.Parameter]) -> Iterable[str]:
    many = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    for parameter in parameters:
        if parameter.kind not in many and parameter.name not in _INTERNAL and not parameter.name.startswith("_"):
            yield parameter.name
