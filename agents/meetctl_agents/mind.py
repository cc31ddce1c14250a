"""What the agent answers: the language model fed from the agent's own memory, its stream cut down to its own words.

The session's agent only replays the speech that was made for the turn: the chat context and the speech pipeline that
the session keeps are not used. Memory knows who said what, and an answer may be older than the grant.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, APIConnectOptions, APIError, ModelSettings, llm

from .memory import Message
from .own_words import OwnWords
from .speech import Speech
from .token_count import TokenCount

LABELS = ("assistant", "user", "system")
"""How chat templates name the roles; small models write them out now and then."""


class Mind(Agent):
    """Says the present speech."""

    def __init__(self, instructions: str) -> None:
        super().__init__(instructions=instructions)
        self.speech: Speech | None = None

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


def forget(session: AgentSession[None], mind: Mind) -> None:
    """Empties what the session keeps of every turn: its own history, the agent's, and every event that it ever emitted.

    Nobody reads any of it here, and it would grow by some hundred kilobytes a minute for as long as the meeting lasts.
    """
    session.history.items.clear()
    mind._chat_ctx.items.clear()
    session._recorded_events.clear()


async def answer(
    model: Any, prompt: Iterable[Message], names: Iterable[str], options: APIConnectOptions
) -> AsyncIterator[str]:
    """Yields what the model answers, the words of others that it makes up left out.

    Raises:
        APIError: if the model fails.
    """
    context = _context(prompt)
    own = OwnWords({*LABELS, *names})
    with TokenCount(model, context) as count:
        async with model.chat(chat_ctx=context, tools=[], conn_options=options) as stream:
            async for chunk in stream:
                count.take(chunk)
                if chunk.delta and chunk.delta.content and (text := own.feed(chunk.delta.content)):
                    yield text
                if own.done:
                    return  # leaving closes the request: the model stops
    if rest := own.finish():
        yield rest


async def read(model: Any, prompt: Iterable[Message], options: APIConnectOptions) -> None:
    """Has the model read the prompt, so that it need not when an answer is wanted; a failure costs nothing but that."""
    with contextlib.suppress(APIError):
        async with model.chat(chat_ctx=_context(prompt), tools=[], conn_options=options) as stream:
            async for _ in stream:
                pass


def _context(prompt: Iterable[Message]) -> llm.ChatContext:
    context = llm.ChatContext.empty()
    for message in prompt:
        context.add_message(role=message.role, content=message.text)
    return context
