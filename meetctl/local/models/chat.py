"""`POST /v1/chat/completions`: a conversation in, the next turn out, word by word. Has no model of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, Field, field_validator

from meetctl.local.models.failures import ApiError
from meetctl.local.models.idle_scheduler import IdleScheduler
from meetctl.local.models.llama import Chunk, Llama, LlamaError
from meetctl.local.models.prompts import MOST_TOKENS as MOST_OF_PROMPT
from meetctl.local.models.prompts import ChatMessage, Role, fit, tokens
from meetctl.local.models.slot_pool import SlotPool
from meetctl.local.models.tool_calls import ToolReader

DEFAULT_TOKENS = 256
MOST_TOKENS = 1024

EXACTLY = {"temperature": 0, "presence_penalty": 0, "frequency_penalty": 0}
"""Where tools are offered: a call repeats what stands in their definitions; penalties keep a small model from it."""

_WAITING_PER_SLOT = 2
"""More would only wait for longer than anybody listens: one at work and one speculation for each agent."""


class SentFunction(BaseModel):
    name: str
    arguments: str = "{}"


class SentCall(BaseModel):
    """A call of a tool that the model asked for before."""

    function: SentFunction


class SentMessage(BaseModel):
    """One message, its content a text or a list of text parts."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: list[SentCall] | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _text(cls, content: object) -> object:
        if isinstance(content, list):
            if any(not isinstance(part, dict) or not isinstance(part.get("text"), str) for part in content):
                raise ValueError("only parts of type text are understood here")
            return "\n".join(part["text"] for part in content)
        return "" if content is None else content

    def message(self, *, may_call: bool) -> ChatMessage:
        """Returns it as the model knows it.

        Args:
            may_call: whether it may ask for a tool now. Then calls and what came of them are told in the words of its
                template; else only what came of them, or it would ask again.
        """
        if self.role == "tool":
            told = f"<tool_response>\n{self.content}\n</tool_response>" if may_call else f"(It gave: {self.content})"
            return ChatMessage("user", told)
        calls = [_as_written(call.function) for call in self.tool_calls or ()] if may_call else []
        role: Role = "system" if self.role == "developer" else self.role
        return ChatMessage(role, "\n".join(filter(None, [self.content, *calls])))


def _as_written(function: SentFunction) -> str:
    try:
        arguments = json.loads(function.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = function.arguments
    call = json.dumps({"name": function.name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{call}\n</tool_call>"


class GivenFunction(BaseModel):
    name: str = Field(min_length=1)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class GivenTool(BaseModel):
    """A tool that the model may ask for."""

    type: Literal["function"] = "function"
    function: GivenFunction


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The body, in OpenAI's words; what the model cannot do is refused, what does not matter is ignored."""

    messages: list[SentMessage] = Field(min_length=1)
    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    seed: int | None = None
    stop: str | list[str] | None = None
    response_format: dict[str, Any] | None = None
    n: int = Field(default=1, ge=1, le=1)
    service_tier: Literal["auto", "default", "flex", "priority"] | None = None
    """`flex`: when nobody else asks for anything, as OpenAI's: a client has the model read ahead with it."""
    tools: list[GivenTool] | None = None
    tool_choice: Any = None
    """`none` = it is to answer in words; anything else is a wish that the model does not heed."""

    @property
    def names(self) -> frozenset[str]:
        """The tools that it may ask for."""
        given = () if self.tool_choice == "none" else self.tools or ()
        return frozenset(tool.function.name for tool in given)

    def limit(self) -> int:
        """Returns how many tokens to make at most."""
        return min(self.max_completion_tokens or self.max_tokens or DEFAULT_TOKENS, MOST_TOKENS)

    def for_model(self, sampling: Mapping[str, float]) -> dict[str, object]:
        """Returns what llama.cpp is asked; `sampling` counts where the request does not say."""
        passed = {"temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "response_format"}
        may_call = bool(self.names)
        tools = [tool.model_dump(exclude_none=True) for tool in self.tools or ()] if may_call else []
        room = max(MOST_OF_PROMPT / 2, MOST_OF_PROMPT - tokens(json.dumps(tools)))
        conversation = fit((message.message(may_call=may_call) for message in self.messages), room)
        return {
            "messages": [{"role": message.role, "content": message.content} for message in conversation],
            "max_tokens": self.limit(),
            **(EXACTLY if may_call else sampling),
            "stop": [self.stop] if isinstance(self.stop, str) else self.stop or [],
            **self.model_dump(include=passed, exclude_none=True),
            **({"tools": tools} if tools else {}),
        }


class ChatService:
    """Serves conversations from one model: one slot each for a few at a time, a short queue behind them."""

    def __init__(self, llama: Llama, name: str, sampling: Mapping[str, float], *, tools: bool) -> None:
        """
        Args:
            tools: whether the model can be handed any.
        """
        self._tools = tools
        self._llama = llama
        self._name = name
        self._sampling = sampling
        self._idle_scheduler = IdleScheduler()
        self.slots = SlotPool("chat", count=llama.slots, waiting=_WAITING_PER_SLOT * llama.slots)

    async def warm_up(self) -> None:
        """Makes a few words, so that the first request does not pay for it."""
        hello = ChatRequest(messages=[SentMessage(role="user", content="Hello.")], max_tokens=4)
        async for _ in self._chunks(hello, threading.Event()):
            pass

    async def answer(self, request: web.Request, wanted: ChatRequest) -> web.StreamResponse:
        """Answers one request.

        Raises:
            ApiError: if there are tools, and the model cannot use any.
        """
        if wanted.tools and not self._tools:
            raise ApiError(f"{self._name} cannot use tools", status=400, param="tools")
        head: dict[str, object] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
        head["model"] = self._name
        made = self._at_leisure(wanted) if wanted.service_tier == "flex" else self._at_once(wanted)
        async with contextlib.aclosing(_with_calls(made, wanted.names)) as chunks:
            if wanted.stream:
                return await _stream(request, chunks, head, wanted.stream_options or StreamOptions())
            return web.json_response(await _whole(chunks, head))

    async def _at_once(self, wanted: ChatRequest) -> AsyncGenerator[Chunk, None]:
        async with (
            self._idle_scheduler.hurry(),
            contextlib.aclosing(self._chunks(wanted, threading.Event())) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def _at_leisure(self, wanted: ChatRequest) -> AsyncGenerator[Chunk, None]:
        made: list[Chunk] = []

        async def make(gone: threading.Event) -> None:
            made.clear()
            async with contextlib.aclosing(self._chunks(wanted, gone)) as chunks:
                made.extend([chunk async for chunk in chunks])

        await self._idle_scheduler.run(make)
        for chunk in made:
            yield chunk

    async def _chunks(self, wanted: ChatRequest, gone: threading.Event) -> AsyncGenerator[Chunk, None]:
        body = wanted.for_model(self._sampling)
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[Chunk | None] = asyncio.Queue()

        def emit(chunk: Chunk) -> None:
            loop.call_soon_threadsafe(made.put_nowait, chunk)

        # The persona names the agent: its slot holds what the model has read for it already.
        first = wanted.messages[0].content
        running = asyncio.create_task(
            self.slots.run_at(lambda slot: self._llama.complete(body, slot, emit, gone), key=first)
        )
        running.add_done_callback(lambda _: made.put_nowait(None))
        try:
            while (chunk := await made.get()) is not None:
                yield chunk
            try:
                await running
            except LlamaError as error:
                raise ApiError(f"chat: {error}", status=503) from error
        finally:
            gone.set()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await running


async def handle(request: web.Request, chat: Callable[[str], Awaitable[ChatService]]) -> web.StreamResponse:
    """Answers one request by the model that it names."""
    wanted = ChatRequest.model_validate_json(await request.read())
    return await (await chat(wanted.model)).answer(request, wanted)


async def _with_calls(made: AsyncGenerator[Chunk, None], names: frozenset[str]) -> AsyncGenerator[Chunk, None]:
    """Yields the same, with the call that was written as text handed over as one."""
    reader = ToolReader(names)
    async with contextlib.aclosing(made) as chunks:
        async for chunk in chunks:
            for choice in chunk["choices"]:
                delta = choice["delta"]
                if delta.get("content"):
                    delta["content"] = reader.feed(delta["content"])
                if choice["finish_reason"]:
                    rest, call = reader.finish()
                    if rest:
                        delta["content"] = (delta.get("content") or "") + rest
                    if call is not None:
                        delta["tool_calls"] = [call.as_delta()]
                        choice["finish_reason"] = "tool_calls"
            yield chunk


async def _whole(chunks: AsyncGenerator[Chunk, None], head: dict[str, object]) -> dict[str, object]:
    text, finish, usage = "", "stop", None
    calls: list[dict[str, Any]] = []
    async for chunk in chunks:
        usage = chunk.get("usage", usage)
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            calls += choice["delta"].get("tool_calls") or []
            finish = choice["finish_reason"] or finish
    message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None}
    if calls:
        message |= {"content": text or None, "tool_calls": [_without_index(call) for call in calls]}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(usage)}


async def _stream(
    request: web.Request, chunks: AsyncGenerator[Chunk, None], head: dict[str, object], options: StreamOptions
) -> web.StreamResponse:
    chunk = await anext(chunks)  # before the headers: a failure here can still be answered as one
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    usage = None
    try:
        while True:
            usage = chunk.get("usage", usage)
            for choice in chunk["choices"]:
                await response.write(_event({**head, **_piece(choice)}))
            chunk = await anext(chunks)
    except StopAsyncIteration:
        if options.include_usage:
            await response.write(_event({**head, "object": _CHUNK, "choices": [], "usage": _usage(usage)}))
    except ApiError as error:  # the status is sent already; a client reads the failure from the stream
        await response.write(_event({**error.body()}))
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response


def _without_index(call: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if key != "index"}


_CHUNK = "chat.completion.chunk"


def _piece(choice: dict[str, Any]) -> dict[str, object]:
    delta = {name: value for name, value in choice["delta"].items() if name in ("role", "content", "tool_calls")}
    if "role" in delta:
        delta["content"] = delta.get("content") or ""
    piece = {"index": 0, "delta": delta, "finish_reason": choice["finish_reason"], "logprobs": None}
    return {"object": _CHUNK, "choices": [piece]}


def _usage(usage: dict[str, Any] | None) -> dict[str, object] | None:
    return usage and {
        name: usage[name]
        for name in ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details")
        if name in usage
    }


def _event(body: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
