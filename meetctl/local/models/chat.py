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
from meetctl.local.models.prompts import Message, fit
from meetctl.local.models.slot_pool import SlotPool

DEFAULT_TOKENS = 256
MOST_TOKENS = 1024

_WAITING_PER_SLOT = 2
"""More would only wait for longer than anybody listens: one at work and one speculation for each agent."""


class SentMessage(BaseModel):
    """One message, its content a text or a list of text parts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str

    @field_validator("content", mode="before")
    @classmethod
    def _text(cls, content: object) -> object:
        if isinstance(content, list):
            if any(not isinstance(part, dict) or not isinstance(part.get("text"), str) for part in content):
                raise ValueError("only parts of type text are understood here")
            return "\n".join(part["text"] for part in content)
        return "" if content is None else content

    def message(self) -> Message:
        """Returns it as the model knows it."""
        return Message("system" if self.role == "developer" else self.role, self.content)


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
    tools: list[Any] | None = Field(default=None, max_length=0)

    def limit(self) -> int:
        """Returns how many tokens to make at most."""
        return min(self.max_completion_tokens or self.max_tokens or DEFAULT_TOKENS, MOST_TOKENS)

    def for_model(self, sampling: Mapping[str, float]) -> dict[str, object]:
        """Returns what llama.cpp is asked; `sampling` counts where the request does not say."""
        passed = {"temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "response_format"}
        conversation = fit(message.message() for message in self.messages)
        return {
            "messages": [{"role": message.role, "content": message.content} for message in conversation],
            "max_tokens": self.limit(),
            **sampling,
            "stop": [self.stop] if isinstance(self.stop, str) else self.stop or [],
            **self.model_dump(include=passed, exclude_none=True),
        }


class Chat:
    """Serves conversations from one model: one slot each for a few at a time, a short queue behind them."""

    def __init__(self, llama: Llama, name: str, sampling: Mapping[str, float]) -> None:
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
        """Answers one request."""
        head: dict[str, object] = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time())}
        head["model"] = self._name
        made = self._at_leisure(wanted) if wanted.service_tier == "flex" else self._at_once(wanted)
        async with contextlib.aclosing(made) as chunks:
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


async def handle(request: web.Request, chat: Callable[[str], Awaitable[Chat]]) -> web.StreamResponse:
    """Answers one request by the model that it names."""
    wanted = ChatRequest.model_validate_json(await request.read())
    return await (await chat(wanted.model)).answer(request, wanted)


async def _whole(chunks: AsyncGenerator[Chunk, None], head: dict[str, object]) -> dict[str, object]:
    text, finish, usage = "", "stop", None
    async for chunk in chunks:
        usage = chunk.get("usage", usage)
        for choice in chunk["choices"]:
            text += choice["delta"].get("content") or ""
            finish = choice["finish_reason"] or finish
    message = {"role": "assistant", "content": text, "refusal": None}
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


_CHUNK = "chat.completion.chunk"


def _piece(choice: dict[str, Any]) -> dict[str, object]:
    delta = {name: value for name, value in choice["delta"].items() if name in ("role", "content")}
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
