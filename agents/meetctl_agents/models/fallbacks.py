"""Several models of which the next is asked where one fails: says which was left, why, and when it is back."""

from __future__ import annotations

from typing import Any

from livekit.agents import llm, stt, tts

from .providers import members_of
from .speech_faults import SpeechFaults

_CHANGED: dict[Any, str] = {
    llm.FallbackAdapter: "llm_availability_changed",
    stt.FallbackAdapter: "stt_availability_changed",
    tts.FallbackAdapter: "tts_availability_changed",
}
"""What LiveKit's adapters emit."""


def watch_fallbacks(model: Any, part: str, faults: SpeechFaults) -> None:
    """Reports of each member of an adapter that it is left for the next, and that it works again.

    Args:
        part: what the model is, in words.
    """
    for member in members_of(model):
        watch = _Watch(member, f"the {part} {_name_of(member)}", faults)
        member.on("error", watch.on_error)
        model.on(_CHANGED[type(model)], watch.on_changed)


def _name_of(member: Any) -> str:
    return "/".join(part for part in (str(member.provider), str(member.model)) if part and part != "unknown")


class _Watch:
    def __init__(self, member: Any, about: str, faults: SpeechFaults) -> None:
        self._member = member
        self._about = f"{about} fails, the next one is asked"
        self._faults = faults
        self._error: object = "it does not answer"

    def on_error(self, event: Any) -> None:
        self._error = event.error

    def on_changed(self, event: Any) -> None:
        changed = next(getattr(event, name) for name in ("llm", "stt", "tts") if hasattr(event, name))
        if changed is not self._member and getattr(changed, "wrapped_stt", None) is not self._member:
            return
        if event.available:
            self._faults.works(self._about)
        else:
            self._faults.warn(self._about, self._error)
