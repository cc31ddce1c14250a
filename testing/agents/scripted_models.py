"""A model server whose language model writes what the test wants; speech and transcription are the real one's."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

PROMPT_TOKENS = 40
"""Told for every request; an answer takes one token a word."""


@dataclass(frozen=True, slots=True)
class Asks:
    """An answer that asks for tools, each with its arguments as they are written."""

    calls: tuple[tuple[str, str], ...]
    text: str = ""
    """Said before."""


Writes = Callable[[dict[str, Any]], str | Asks]
"""What to write to a request for chat, by its body."""


async def pass_on(http: aiohttp.ClientSession, url: str, request: web.Request) -> web.StreamResponse:
    """Answers as the server at `url` does, piece by piece; an interrupted agent hangs up, and then we do too."""
    headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
    body = await request.read()
    response = web.StreamResponse()
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):
        async with http.request(request.method, url + request.path, data=body, headers=headers) as answer:
            response.set_status(answer.status)
            response.content_type = answer.content_type
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
    return response


@asynccontextmanager
async def scripted_models(models_url: str, writes: Writes) -> AsyncIterator[str]:
    """Yields the url, without `/v1`."""

    async def chat(request: web.Request) -> web.StreamResponse:
        try:
            asked = await request.json()
        except ConnectionError:  # it changed its mind before it had asked
            raise web.HTTPBadRequest from None
        written = writes(asked)
        asks = written if isinstance(written, Asks) else Asks((), written)
        words = asks.text.split(" ")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        with contextlib.suppress(ConnectionError):  # an agent that has heard enough hangs up
            await response.prepare(request)
            for index, word in enumerate(words):
                last = index == len(words) - 1 and not asks.calls
                delta = {"role": "assistant", "content": word if last else f"{word} "}
                await response.write(_event(asked, [{"index": 0, "delta": delta, "finish_reason": None}]))
            for index, (name, arguments) in enumerate(asks.calls):
                function = {"name": name, "arguments": arguments}
                call = {"index": index, "id": f"call-{uuid.uuid4().hex[:8]}", "type": "function", "function": function}
                choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}
                await response.write(_event(asked, [choice]))
            ends = "tool_calls" if asks.calls else "stop"
            await response.write(_event(asked, [{"index": 0, "delta": {}, "finish_reason": ends}]))
            if asked.get("stream_options", {}).get("include_usage"):
                usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": len(words)}
                await response.write(_event(asked, [], usage | {"total_tokens": PROMPT_TOKENS + len(words)}))
            await response.write(b"data: [DONE]\n\n")
        return response

    async def handle(request: web.Request) -> web.StreamResponse:
        return await pass_on(http, models_url, request)

    application = web.Application(client_max_size=2**24)
    application.router.add_post("/v1/chat/completions", chat)
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    async with aiohttp.ClientSession() as http:
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def _event(asked: dict[str, Any], choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    return f"data: {json.dumps(chunk | {'choices': choices, 'usage': usage})}\n\n".encode()
