"""A few words of a language model, for the floor: bounded in tokens and time, and counted. Nothing of it is spoken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from livekit.agents import APIConnectOptions, APIStatusError, llm

from ..models.token_count import TokenCount
from ..text.reasoning import Reasoning

T = TypeVar("T")

ROOM_TO_THINK = 600
"""Tokens, for a model that reasons before it answers."""


class NoDecision(Exception):
    """The model's answer decides nothing."""


class ShortAnswers:
    """Asks the model.

    Args:
        tokens: what an answer may take; more for a model that thinks, and no limit for a server that knows none.
        enough: characters; what comes after them is no answer but talk.
    """

    def __init__(self, model: llm.LLM[Any], *, tokens: int, enough: int) -> None:
        self._model: Any = model
        self._tokens = tokens
        self._enough = enough
        self._limit: dict[str, int] = {"max_completion_tokens": tokens}

    async def ask(self, context: llm.ChatContext, timeout_s: float, decision: Callable[[str], T]) -> T:
        """Returns what the model's answer decides; where that was only reasoning, the next may be longer.

        Raises:
            NoDecision: as `decision` does, of an answer that decides nothing.
            APIError: if the model cannot be asked.
        """
        text, thought = await self._answer(context, timeout_s)
        try:
            return decision(text)
        except NoDecision:
            # Kept for the next question: this one is decided without the model meanwhile.
            if (thought or not text.strip()) and self._limit.get("max_completion_tokens") == self._tokens:
                self._limit = {"max_completion_tokens": ROOM_TO_THINK}
                raise NoDecision("it only reasoned, and is given more room to from now on") from None
            raise

    async def _answer(self, context: llm.ChatContext, timeout_s: float) -> tuple[str, str]:
        """Returns what the model answers, and the beginning of what it thought before."""
        try:
            return await self._ask(context, timeout_s)
        except APIStatusError as error:
            if error.status_code not in (400, 422) or not self._limit:
                raise
            self._limit = {}
            return await self._ask(context, timeout_s)

    async def _ask(self, context: llm.ChatContext, timeout_s: float) -> tuple[str, str]:
        options = APIConnectOptions(max_retry=0, timeout=timeout_s)
        reasoning, text = Reasoning(), ""
        with TokenCount(self._model, context) as count:
            async with self._model.chat(
                chat_ctx=context, tools=[], conn_options=options, extra_kwargs=dict(self._limit)
            ) as stream:
                async for chunk in stream:
                    count.take(chunk)
                    text += reasoning.feed((chunk.delta and chunk.delta.content) or "")
                    if reasoning.unopened:
                        reasoning.unopened, text = False, ""
                    if len(text) > self._enough:
                        break  # leaving closes the request: the model stops
        return text + reasoning.finish(), reasoning.thought
