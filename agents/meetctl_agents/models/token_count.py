"""What an answer costs where its language model was stopped before it could say: an estimate, so that no budget leaks.

A model tells the tokens of a request in its last chunk, which nobody reads once an answer was long enough, was cut off
or was prepared in vain; some servers never tell. Counts nothing where the model did. The estimate is told as the model
would have told it, so that whoever counts this model, LiveKit's agent session for one, counts it by the same way.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from livekit.agents import llm
from livekit.agents.metrics import LLMMetrics
from livekit.agents.metrics.base import Metadata

CHARACTERS_A_TOKEN = 4
"""Of English text, by the tokenizers in use; a chunk of a stream holds one token."""
_COLLECTED = "metrics_collected"


class TokenCount:
    """Watches one request of the model; context manager around the stream, which must be closed within it."""

    def __init__(self, model: llm.LLM[Any], prompt: llm.ChatContext) -> None:
        self._model = model
        self._prompt = prompt
        self._request = ""
        self._chunks = 0
        self._told = False
        self._began = time.time()

    def __enter__(self) -> Self:
        self._model.on(_COLLECTED, self._on_collected)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model.off(_COLLECTED, self._on_collected)
        if self._chunks and not self._told:
            self._model.emit(_COLLECTED, self._estimate())

    def take(self, chunk: llm.ChatChunk) -> None:
        """Counts a chunk of the stream."""
        self._request = chunk.id
        self._chunks += bool(chunk.delta and chunk.delta.content)

    def _on_collected(self, metrics: LLMMetrics) -> None:
        self._told = self._told or (metrics.request_id == self._request and metrics.total_tokens > 0)

    def _estimate(self) -> LLMMetrics:
        characters = sum(len(message.text_content or "") for message in self._prompt.messages())
        read = -(-characters // CHARACTERS_A_TOKEN)
        return LLMMetrics(
            label=self._model.label,
            request_id=self._request,
            timestamp=time.time(),
            duration=time.time() - self._began,
            ttft=-1,
            cancelled=True,
            completion_tokens=self._chunks,
            prompt_tokens=read,
            prompt_cached_tokens=0,
            total_tokens=read + self._chunks,
            tokens_per_second=0,
            metadata=Metadata(model_name=self._model.model, model_provider=self._model.provider),
        )
