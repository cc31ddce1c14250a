"""Words from words: llama.cpp with one small model. Blocking; knows nothing of HTTP.

The library opens an HTTP port of its own on loopback, which cannot be turned off; it is locked with a key that nobody
is told, and everything goes through the call in this process.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CONTEXT = 4096
"""Tokens shared by all slots; 23 kB of memory each."""
CONTEXT_PER_SLOT = 1536
"""Beyond two agents the context grows by this."""

_GENERATION_THREADS = 1
"""Two are no faster for so small a model, and unsteady when cores are shared."""
_BATCH = 128
"""Tokens read at a time: between two batches a client's leaving is noticed, and other slots get on."""

Chunk = dict[str, Any]


class LlamaError(Exception):
    """The library refused or failed; its own words."""


class Llama:
    """Holds the loaded model; as many calls at a time as it has slots, each with a slot of its own."""

    def __init__(self, model: Path, *, slots: int, threads: int) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = max(CONTEXT, CONTEXT_PER_SLOT * slots)
        params.n_parallel = slots
        params.kv_unified = True
        params.cache_ram_mib = 0  # the default keeps up to 8 GB of old prompts
        params.n_batch = params.n_ubatch = _BATCH
        params.cpuparams.n_threads = _GENERATION_THREADS
        params.cpuparams_batch.n_threads = threads
        params.api_keys = [secrets.token_urlsafe(32)]
        params.ui = params.endpoint_slots = params.endpoint_props = False
        params.n_threads_http = 1
        params.verbosity = 1
        self.slots = slots
        self._server = xllamacpp.Server(params)

    def complete(
        self, body: Mapping[str, object], slot: int, emit: Callable[[Chunk], None], gone: threading.Event
    ) -> None:
        """Runs one chat completion, handing each chunk to `emit`; stops within a batch or a token once `gone` is set.

        Raises:
            LlamaError: with the library's words.
        """
        failures: list[str] = []

        def take(chunk: Chunk) -> bool:
            if "error" in chunk:
                failures.append(str(chunk["error"].get("message", chunk["error"])))
            elif "prompt_progress" not in chunk:
                emit(chunk)
            return gone.is_set()

        if gone.is_set():
            return
        streamed = {"stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        try:
            self._server.handle_chat_completions({**body, **streamed, "id_slot": slot, "cache_prompt": True}, take)
        except (ValueError, RuntimeError) as error:
            raise LlamaError(str(error)) from error
        if failures:
            raise LlamaError(failures[0])
