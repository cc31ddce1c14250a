"""A language model that may have to be loaded first: it is asked once at the start, and has a minute to answer.

Servers of one's own (Ollama, llama.cpp, vLLM) load a model when it is first asked for, and some give that up when
whoever asked goes away. So somebody asks before anybody speaks, and waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from livekit.agents import APIConnectOptions, APIError, llm

from meetctl.protocol import Endpoint

from .faults import retry_after_s

FIRST_ANSWER_S = 60.0
"""For a model's first answer: loading some gigabytes from a slow disk takes half of it."""
SHOWN_AFTER_S = 3.0
"""A model that is loaded answers within it."""
LOADING = "the language model is being loaded"

logger = logging.getLogger(__name__)


def may_have_to_load(endpoint: Endpoint | None) -> bool:
    """Whether the model is served by somebody's own server, which is not ours (that one has loaded it by then)."""
    return endpoint is not None and endpoint.is_somebodys_own


class Warming:
    """Knows whether the model has answered yet; whoever waits for it waits longer until then."""

    def __init__(self, *, is_loaded: bool) -> None:
        self.is_loaded = is_loaded

    def options(self, usual: APIConnectOptions) -> APIConnectOptions:
        """Returns how long an answer is waited for now."""
        return usual if self.is_loaded else replace(usual, max_retry=0, timeout=FIRST_ANSWER_S)

    def patience_s(self, usual: float) -> float:
        """Returns how long a server may have somebody wait in all."""
        return usual if self.is_loaded else FIRST_ANSWER_S

    def answered(self) -> None:
        """Notes that the model has answered."""
        self.is_loaded = True

    async def warm_up(
        self,
        model: llm.LLM[Any],
        warn: Callable[[str, object], None],
        works: Callable[[str], None],
        fails: str,
    ) -> None:
        """Asks the model for a word, and says so while it is being loaded.

        Args:
            warn: is told that it is being loaded, and what makes it fail.
            works: is told that it is loaded.
            fails: what to say where it cannot be asked at all.
        """
        telling = asyncio.create_task(_tell_later(warn), name="model-is-being-loaded")
        try:
            await self._ask(model)
        except APIError as error:
            logger.warning("the language model could not be asked: %r", error)
            warn(fails, error)
        finally:
            telling.cancel()
            works(LOADING)

    async def _ask(self, model: Any) -> None:
        until = time.monotonic() + FIRST_ANSWER_S
        context = llm.ChatContext.empty()
        context.add_message(role="user", content="Hello.")
        while True:
            try:
                options = APIConnectOptions(max_retry=0, timeout=max(1.0, until - time.monotonic()))
                async with model.chat(chat_ctx=context, tools=[], conn_options=options) as stream:
                    async for _ in stream:
                        break  # its first word is enough, and leaving closes the request
                self.answered()
                return
            except APIError as error:
                wait = retry_after_s(error)
                if wait is None or time.monotonic() + wait > until:
                    raise
                await asyncio.sleep(wait)


async def _tell_later(warn: Callable[[str, object], None]) -> None:
    await asyncio.sleep(SHOWN_AFTER_S)
    warn(LOADING, f"it has not answered for {SHOWN_AFTER_S:.0f} s; its first answer has {FIRST_ANSWER_S:.0f} s")
