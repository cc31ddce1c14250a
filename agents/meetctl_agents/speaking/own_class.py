"""An `Agent` class of somebody's own, behind the floor: its words and its sound, its tools, and what it says of itself.

It is the session's agent, so what its nodes ask livekit-agents for is there. But the session only replays speeches: its
own `llm_node` and `tts_node` make them, and what it says outside of a turn waits for the floor.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from livekit import rtc
from livekit.agents import NOT_GIVEN, Agent, AgentSession, ModelSettings, NotGiven, RunContext, llm

from ..models.errors import ModelError
from ..tools.python_file import Tool, ToolFileError, loaded
from .replay_agent import Replaying

Wanted = Callable[[str, bool], None]
"""Told what the agent wants to say: the very words, or (True) what to speak about."""


async def made_from_class(path: str, name: str, wanted: Wanted) -> Any:
    """Returns the agent, as the session is to have it.

    Raises:
        ModelError: if there is no such class, it is no Agent, or it cannot be made.
    """
    try:
        found = getattr(await loaded(path), name, None)
    except ToolFileError as error:
        raise ModelError(f"{Path(path).name}: {error}", hint="python FILE says the same") from error
    if not isinstance(found, type) or not issubclass(found, Agent):
        raise ModelError(f"{Path(path).name} has no Agent class named {name}", hint="class: ./team.py:NAME")
    try:
        return type(name, (_Behind, found), {"wanted": staticmethod(wanted), "made_of": found})()
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise ModelError(f"{name} cannot be made: {why}", hint="it is made without arguments") from error


def leave_out(agent: Any) -> list[str]:
    """Takes from the agent what has no effect here, so that it has none; returns what that was, in words.

    A session prefers an agent's own models to its own, and starts its servers.
    """
    unused = unused_of_class(agent)
    agent._llm = agent._tts = agent._stt = agent._vad = agent._mcp_servers = NOT_GIVEN
    agent._tools = [tool for tool in agent._tools if not isinstance(tool, llm.Toolset)]
    return unused


class _Behind(Replaying):
    """Stands before somebody's own class: the session gets the speech that was made for the turn."""

    wanted: Wanted
    made_of: type[Agent]

    @property
    def session(self) -> Any:
        return Outside(super().session, self.wanted)

    async def on_enter(self) -> None:
        # In a task of its own nothing can take the conversation over: an AgentTask finds no activity there.
        await asyncio.create_task(super().on_enter(), name="on-enter")

    async def on_exit(self) -> None:
        await asyncio.create_task(super().on_exit(), name="on-exit")


_OF_THE_MEETING = frozenset(
    "start aclose drain shutdown run interrupt update_agent update_options commit_user_turn clear_user_turn "
    "pause resume_agent".split()
)
"""What would end a turn, begin one, or put another agent in this one's place."""


class Outside:
    """The session, as an agent of somebody's own sees it: what it says waits for the floor."""

    def __init__(self, session: AgentSession[Any], wanted: Wanted) -> None:
        self._session = session
        self._wanted = wanted

    def __getattr__(self, name: str) -> Any:
        if name in _OF_THE_MEETING:
            raise RuntimeError(f"session.{name} is not for an agent behind the floor: that is the meeting's to say")
        return getattr(self._session, name)

    def say(self, text: str | AsyncIterable[str], **_: Any) -> _Noted:
        """Wants the floor for these very words."""
        if not isinstance(text, str):
            raise TypeError("only a text can be said outside of a turn")
        self._wanted(text, False)
        return _Noted()

    def generate_reply(self, *, instructions: str = "", **_: Any) -> _Noted:
        """Wants the floor, to speak about this."""
        self._wanted(str(instructions), True)
        return _Noted()


class TurnContext(RunContext[Any]):
    """What a tool is told of its turn; what was said before it is spoken while it runs."""

    async def wait_for_playout(self) -> None:
        """Waits for nothing: the turn waits for the tool."""

    def foreground(self, *_: Any, **__: Any) -> Any:
        """Cannot be: the tool's turn holds the floor already.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("foreground is not for a tool behind the floor: its turn holds it already")


class _Noted:
    """What `say` returns: nothing to wait for, since the floor may be long in coming."""

    interrupted = False

    def __await__(self) -> Any:
        return self._over().__await__()

    async def wait_for_playout(self) -> None:
        return

    async def _over(self) -> _Noted:
        return self


@dataclass(frozen=True, slots=True)
class _Sounded:
    frame: rtc.AudioFrame


class _Stream:
    """What a node yields, as a model's stream."""

    def __init__(self, node: Any) -> None:
        self._node = node

    async def __aenter__(self) -> Self:
        self._made = await self._node if inspect.isawaitable(self._node) else self._node
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if hasattr(self._made, "aclose"):
            await self._made.aclose()


class _Words(_Stream):
    async def __aiter__(self) -> AsyncIterator[llm.ChatChunk]:
        if isinstance(self._made, str):
            yield _chunk(self._made)
            return
        async for piece in self._made or _nothing():
            if isinstance(piece, llm.ChatChunk):
                yield piece
            elif isinstance(piece, str):
                yield _chunk(piece)


class _Frames(_Stream):
    async def __aiter__(self) -> AsyncIterator[_Sounded]:
        async for frame in self._made or _nothing():
            yield _Sounded(frame)


class NodeModel:
    """A language model whose answers somebody's own `llm_node` makes."""

    def __init__(self, model: llm.LLM[Any], agent: Any) -> None:
        self._model = model
        self._node = _own_node(agent, "llm_node")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def chat(self, *, chat_ctx: llm.ChatContext, tools: list[Any], tool_choice: Any = None, **_: Any) -> _Words:
        settings = ModelSettings() if tool_choice is None else ModelSettings(tool_choice=tool_choice)
        return _Words(self._node(chat_ctx, tools, settings))


class NodeVoice:
    """A voice whose sound somebody's own `tts_node` makes."""

    def __init__(self, voice: Any, agent: Any) -> None:
        self._voice = voice
        self._node = _own_node(agent, "tts_node")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._voice, name)

    def synthesize(self, text: str, **_: Any) -> _Frames:
        return _Frames(self._node(_once(text), ModelSettings()))


def tools_of_class(agent: Any) -> dict[str, Tool]:
    """Returns the tools of the class that the agent is, by name."""
    return {tool.info.name: tool for tool in agent.tools if isinstance(tool, llm.FunctionTool | llm.RawFunctionTool)}


def unused_of_class(agent: Any) -> list[str]:
    """Returns what the agent brings that has no effect here, in words."""
    sets = [f"its {tool.id} tools" for tool in agent.tools if isinstance(tool, llm.Toolset)]
    own = {"llm": "language model", "tts": "voice", "stt": "recogniser", "vad": "voice activity detection"}
    models = [f"its own {words}" for part, words in own.items() if not isinstance(getattr(agent, part), NotGiven)]
    servers = ["its MCP servers"] if agent._mcp_servers else []
    return [*sets, *models, *servers]


def overrides(agent: Any, node: str) -> bool:
    """Returns whether the class behind the agent has a node of its own."""
    return getattr(agent.made_of, node) is not getattr(Agent, node)


def _own_node(agent: Any, node: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(agent.made_of, node).__get__(agent)
    return found


def _chunk(text: str) -> llm.ChatChunk:
    return llm.ChatChunk(id="own", delta=llm.ChoiceDelta(role="assistant", content=text))


async def _once(text: str) -> AsyncIterator[str]:
    yield text


async def _nothing() -> AsyncIterator[Any]:
    return
    yield
