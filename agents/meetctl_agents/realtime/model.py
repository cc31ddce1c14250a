"""A realtime model, made from an Endpoint by its plugin, and whether it can be one of several at a table.

Such models are built for one caller: they hear a microphone and answer it by themselves. Here the chair hears, and
says whose turn it is; a model that cannot be kept from deciding that is refused before it is ever connected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from livekit.agents import llm
from pydantic import SecretStr

from meetctl.protocol import Endpoint, Voice

from ..models.errors import MissingModelError, ModelError
from ..models.plugin import REALTIME, find_constructor
from ..models.providers import NO_KEY

LASTS_S = 20 * 60.0
"""How long a session is kept where neither its provider nor the roster says how long it lasts."""
LIMIT = "max_session_duration"
"""The option by which a roster says so, in seconds; the plugins' own way to heed it leaves a gap."""

TURNS = "turn_detection"
"""The option by which a model would decide them."""

_NEEDED: dict[str, Callable[[llm.RealtimeCapabilities], bool]] = {
    "decides itself when it speaks": lambda able: not able.turn_detection or able.can_disable_turn_detection,
    "cannot be told what others said": lambda able: able.mutable_chat_context,
    "speaks by itself once a tool has answered": lambda able: not able.auto_tool_reply_generation,
    "makes no sound": lambda able: able.audio_output,
}


@dataclass(frozen=True, slots=True)
class RealtimeChoice:
    """A model, and what is known of its sessions."""

    model: llm.RealtimeModel
    provider: str
    name: str
    lasts_s: float | None
    """As the roster says; None = as the provider tells."""


def realtime_from_endpoint(endpoint: Endpoint | None, voice: Voice) -> RealtimeChoice:
    """Returns the model; it is not connected.

    Raises:
        MissingModelError: if there is no endpoint.
        ModelError: if its plugin does not take what the endpoint says, or the model decides itself when it speaks.
    """
    if endpoint is None:
        raise MissingModelError("the assignment names no `llm`", hint="set `defaults.llm` in the roster")
    constructor = replace(find_constructor(endpoint.provider, REALTIME), takes_anything=False)
    options = dict(endpoint.options)
    if TURNS in options:
        raise ModelError(f"{TURNS} is the chair's to decide", hint=f"remove {TURNS} from the options")
    lasts_s = _limit_from(options.pop(LIMIT, None))
    given = endpoint.model_copy(update={"options": options})
    if endpoint.base_url is not None and not endpoint.api_key.get_secret_value():
        given = given.model_copy(update={"api_key": SecretStr(NO_KEY)})
    needed = {"voice": voice.name} if voice.name is not None else {}
    model: llm.RealtimeModel = constructor.make(given, needed=needed, welcome={LIMIT: None})
    if reasons := refusals(model.capabilities):
        raise ModelError(
            f"{endpoint.provider}/{model.model} cannot be one of several at a table: it {', and '.join(reasons)}",
            hint="write llm: {provider: openai, model: gpt-realtime, realtime: true}, without options for its turns",
        )
    return RealtimeChoice(model, endpoint.provider, model.model, lasts_s)


def refusals(able: llm.RealtimeCapabilities) -> list[str]:
    """Returns why a model with these capabilities cannot sit at a table with others; nothing where it can."""
    return [reason for reason, holds in _NEEDED.items() if not holds(able)]


def _limit_from(written: Any) -> float | None:
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, int | float) or written <= 0:
        raise ModelError(f"{LIMIT} is {written!r}, no number of seconds", hint=f"write options: {{{LIMIT}: 1200}}")
    return float(written)
