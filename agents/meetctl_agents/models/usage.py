"""Counts what a program uses and tells its running totals: one account of a process, whoever counts into it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from livekit.agents import llm, stt
from livekit.agents.metrics import LLMMetrics, LLMModelUsage, STTMetrics, TTSModelUsage
from livekit.agents.metrics.base import Metadata
from livekit.agents.metrics.usage import ModelUsage

from meetctl.protocol import Purpose, Usage, UsageKind, UsageTotals, summed

from ..process.wire import Report

_UNKNOWN = ("", "unknown")
"""What LiveKit's plugins say where they have no name."""


class UsageMeter:
    """The account of this process."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._added: tuple[Usage, ...] = ()
        self._session: tuple[Usage, ...] = ()
        self._told: tuple[Usage, ...] = ()

    def add(self, used: Usage) -> None:
        """Adds what was used since the last time."""
        self._added = summed((*self._added, used))
        self._tell()

    def take_session(self, usage: Iterable[ModelUsage]) -> None:
        """Takes the running totals of the one agent session of this process."""
        self._session = tuple(used for one in usage if (used := _of_session(one)) is not None)
        self._tell()

    def count_llm(self, model: llm.LLM[Any], purpose: Purpose) -> None:
        """Counts the tokens of a model that no agent session counts."""
        model.on("metrics_collected", partial(self._on_llm, purpose))

    def count_stt(self, model: stt.STT[Any], purpose: Purpose) -> None:
        """Counts the seconds that a model transcribes."""
        model.on("metrics_collected", partial(self._on_stt, purpose))

    def _on_llm(self, purpose: Purpose, metrics: LLMMetrics) -> None:
        self._on_used(UsageKind.LLM_TOKENS, metrics.total_tokens, purpose, metrics.metadata)

    def _on_stt(self, purpose: Purpose, metrics: STTMetrics) -> None:
        self._on_used(UsageKind.STT_SECONDS, metrics.audio_duration, purpose, metrics.metadata)

    def _on_used(self, kind: UsageKind, amount: float, purpose: Purpose, metadata: Metadata | None) -> None:
        if amount:
            of = metadata or Metadata()
            self.add(_used(kind, amount, purpose, of.model_provider, of.model_name))

    def _tell(self) -> None:
        used = summed((*self._added, *self._session))
        if used != self._told:
            self._told = used
            self._report(UsageTotals.of(used))


def _of_session(used: ModelUsage) -> Usage | None:
    match used:
        case LLMModelUsage():
            tokens = used.input_tokens + used.output_tokens
            one = _used(UsageKind.LLM_TOKENS, tokens, Purpose.ANSWERS, used.provider, used.model)
        case TTSModelUsage():
            one = _used(UsageKind.TTS_CHARACTERS, used.characters_count, Purpose.SPEECH, used.provider, used.model)
        case _:
            return None
    return one if one.amount else None


def _used(kind: UsageKind, amount: float, purpose: Purpose, provider: str | None, model: str | None) -> Usage:
    names = [None if name in _UNKNOWN else name for name in (provider, model)]
    return Usage(kind=kind, amount=amount, purpose=purpose, provider=names[0], model=names[1])
