"""What the agent answers: the language model fed from the agent's own memory, its stream cut down to its own words.

The session's agent only replays the speech that was made for the turn: the chat context and the speech pipeline that
the session keeps are not used. Memory knows who said what, and an answer may be older than the grant.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, APIConnectOptions, APIError, APIStatusError, ModelSettings, llm

from ..models.faults import retry_after_s
from ..models.prompt import Message, alternating
from ..models.token_count import TokenCount
from ..text.answer_text import AnswerText
from .speech import Speech

_ROLES = re.compile(r"\broles?\b|alternat|system message|chat template|jinja", re.IGNORECASE)
_BY_TURNS: weakref.WeakSet[Any] = weakref.WeakSet()
"""Models that have refused anything but "user" and "assistant" by turns."""

logger = logging.getLogger(__name__)


class Replaying(Agent):
    """Says the present speech."""

    speech: Speech | None = None

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[str]:
        if self.speech is not None:
            async for piece in self.speech.words.replay():
                yield piece

    async def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncIterator[rtc.AudioFrame]:
        if self.speech is not None:
            async for frame in self.speech.sound.replay():
                yield frame


class ReplayAgent(Replaying):
    """An agent that is nothing else."""

    def __init__(self, instructions: str) -> None:
        super().__init__(instructions=instructions)


def forget(session: AgentSession[None], replay_agent: ReplayAgent) -> None:
    """Empties what the session keeps of every turn: its own history, the agent's, and every event that it ever emitted.

    Nobody reads any of it here, and it would grow by some hundred kilobytes a minute for as long as the meeting lasts.
    """
    session.history.items.clear()
    replay_agent._chat_ctx.items.clear()
    session._recorded_events.clear()


@dataclass(slots=True)
class ToolRequest:
    """What a model is offered beside the prompt, and what it asks for."""

    tools: Sequence[llm.Tool] = ()
    done: Sequence[llm.ChatItem] = ()
    """What it said and used in this turn before; told after the prompt."""
    may_call: bool = True
    calls: list[llm.FunctionToolCall] = field(default_factory=list)
    """What it asks for, once it has answered."""

    def options(self) -> dict[str, Any]:
        """Returns what is sent of it with a request."""
        if not self.tools:
            return {"tools": []}
        return {"tools": list(self.tools)} | ({} if self.may_call else {"tool_choice": "none"})


async def answer(
    model: Any,
    prompt: Iterable[Message],
    text: AnswerText,
    options: APIConnectOptions,
    warn: Callable[[str, object], None],
    patience_s: float = 0.0,
    asking: ToolRequest | None = None,
) -> AsyncGenerator[str]:
    """Yields what the model answers, without what is no answer.

    Args:
        text: takes what the model streams.
        warn: is told of a tool that was asked for beside an answer.
        patience_s: how long a server may have it wait in all (`Retry-After`, or a model that is being loaded).
        asking: the tools that it may ask for; None = none.

    A model whose template or server takes no facts between what people say is told them another way from then on.

    Raises:
        APIError: if the model fails, or answers with nothing that can be said.
    """
    prompt = tuple(prompt)
    asking = asking or ToolRequest()
    waited = 0.0
    while True:
        try:
            context = _context(model, prompt)
            context.items.extend(asking.done)
            async with contextlib.aclosing(_written(model, context, text, options, asking)) as written:
                async for said in written:
                    yield said
            break
        except APIError as error:
            if not text.has_begun and model not in _BY_TURNS and _wants_turns(error):
                _BY_TURNS.add(model)
                continue
            wait = None if text.has_begun else retry_after_s(error)
            if wait is None or waited + wait > patience_s:
                raise
            logger.info("the language model asks to wait for %.1f s", wait)
            waited += wait
            await asyncio.sleep(wait)
    if not text.done and (rest := text.finish()):
        yield rest
    if asking.calls:
        return
    if silence := text.explain_silence():
        raise APIError(f"there is nothing to say in the model's answer: {silence}", retryable=False)
    if text.calls:
        why = "as text, which its server should hand over as a call" if asking.tools else "and the agent has no tools"
        warn("the language model asks for a tool", f"it wrote {text.calls[0][:80]}, {why}")


async def _written(
    model: Any, context: llm.ChatContext, text: AnswerText, options: APIConnectOptions, asking: ToolRequest
) -> AsyncGenerator[str, None]:
    with TokenCount(model, context) as count:
        async with model.chat(chat_ctx=context, conn_options=options, **asking.options()) as stream:
            async for chunk in stream:
                count.take(chunk)
                if chunk.delta and chunk.delta.tool_calls:
                    text.note_tool_call()
                    if asking.tools and asking.may_call:
                        asking.calls += chunk.delta.tool_calls
                if chunk.delta and chunk.delta.content and (said := text.feed(chunk.delta.content)):
                    yield said
                if text.done:
                    return  # leaving closes the request: the model stops


async def read(
    model: Any, prompt: Iterable[Message], options: APIConnectOptions, tools: Sequence[llm.Tool] = ()
) -> None:
    """Has the model read the prompt, so that it need not when an answer is wanted; a failure costs nothing but that."""
    try:
        async with model.chat(chat_ctx=_context(model, prompt), tools=list(tools), conn_options=options) as stream:
            async for _ in stream:
                pass
    except APIError as error:
        if _wants_turns(error):
            _BY_TURNS.add(model)


def _context(model: Any, prompt: Iterable[Message]) -> llm.ChatContext:
    context = llm.ChatContext.empty()
    for message in alternating(prompt) if model in _BY_TURNS else prompt:
        context.add_message(role=message.role, content=message.text)
    return context


def _wants_turns(error: BaseException | None) -> bool:
    """Returns whether the server refused the messages for their roles; vLLM answers 400 then, llama.cpp 500."""
    while error is not None:
        if isinstance(error, APIStatusError) and _ROLES.search(f"{error.message} {error.body}"):
            return True
        error = error.__cause__
    return False
