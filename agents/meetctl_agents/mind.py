"""What the agent answers: the language model fed from the agent's own memory, its stream cut down to its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from livekit.agents import Agent, ModelSettings, llm

from meetctl.protocol import Assignment

from .memory import Memory
from .own_words import OwnWords

LABELS = ("assistant", "user", "system")
"""How chat templates name the roles; small models write them out now and then."""


class Mind(Agent):
    """The session's agent. The chat context the session keeps is not used: memory knows who said what."""

    def __init__(self, memory: Memory, instructions: str, assignment: Assignment) -> None:
        super().__init__(instructions=instructions)
        self._memory = memory
        self._told = instructions
        self._cast = (assignment.name, *(member.name for member in assignment.cast))

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncIterator[str]:
        context = llm.ChatContext.empty()
        for message in self._memory.messages(self._told):
            context.add_message(role=message.role, content=message.text)
        own = OwnWords({*LABELS, *self._cast, *(line.speaker for line in self._memory.lines)})
        model: Any = self.session.llm
        options = self.session.conn_options.llm_conn_options
        async with model.chat(chat_ctx=context, tools=[], conn_options=options) as stream:
            async for chunk in stream:
                if chunk.delta and chunk.delta.content and (text := own.feed(chunk.delta.content)):
                    yield text
                if own.done:
                    return  # leaving closes the request: the model stops
        if rest := own.finish():
            yield rest
