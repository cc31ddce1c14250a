"""A server that speaks OpenAI's realtime protocol over a websocket: what it says is the test's, its voice a tone.

It keeps what an honest server keeps: a conversation of items in their order, one answer at a time, and what it was
told to cut off. What a server may do wrong, it does when it is told to. Events and their fields are those of
https://platform.openai.com/docs/api-reference/realtime as livekit-agents reads and writes them.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import math
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from testing.agents.scripted_models import Asks

RATE = 24_000
SECONDS_A_WORD = 0.3
FASTER = 16.0
"""Than it is spoken, as real servers are."""
TOKENS_A_WORD = 10
PROMPT_TOKENS = 40

Event = dict[str, Any]
_ids = itertools.count(1)


@dataclass
class Asked:
    """What the model knew when it was asked."""

    instructions: str
    items: list[Event]
    tools: list[str]
    may_call: bool
    voice: str

    @property
    def heard(self) -> list[str]:
        """Returns the texts of the conversation, oldest first."""
        return [text_of(item) for item in self.items]


Writes = Callable[[Asked], str | Asks]


@dataclass
class Response:
    """One answer."""

    id: str
    item_id: str
    began_at: float
    sent_ms: int = 0
    status: str = "in_progress"
    asked_for: bool = True


@dataclass
class Session:
    """One connection, and what came of it."""

    url: str
    key: str
    opened_at: float = field(default_factory=time.monotonic)
    closed_at: float | None = None
    instructions: str = ""
    voice: str = ""
    turn_detection: Any = "unset"
    tools: list[str] = field(default_factory=list)
    items: list[Event] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    truncated: list[tuple[str, int, int]] = field(default_factory=list)
    """Item, milliseconds heard, milliseconds sent."""
    microphone: int = 0
    refused: list[str] = field(default_factory=list)
    running: asyncio.Task[None] | None = None
    socket: web.WebSocketResponse | None = None

    @property
    def open_calls(self) -> list[str]:
        """Returns the ids of calls without a result."""
        done = {item["call_id"] for item in self.items if item["type"] == "function_call_output"}
        calls = [item["call_id"] for item in self.items if item["type"] == "function_call"]
        return [call for call in calls if call not in done]


class RealtimeServer:
    """What the test asks it, and what it is to do wrong."""

    def __init__(self, writes: Writes) -> None:
        self.writes = writes
        self.url = ""
        self.sessions: list[Session] = []
        self.lasts_s: float | None = None
        """A session that is opened from now on ends after so long, as is told when it begins."""
        self.refuse: int | None = None
        """The status that a connection is answered with."""
        self.drop_after_ms: int | None = None
        """Of the next answer's sound; then the connection is cut."""
        self.drops_after_call = False
        """Whether the connection is cut once the next answer has asked for a tool."""
        self.goes_on = False
        """Whether it heeds no order to stop."""
        self.fails = ""
        """The code with which the next answer fails."""

    def of(self, word: str) -> list[Session]:
        """Returns the sessions whose instructions have the word, oldest first."""
        return [session for session in self.sessions if word in session.instructions]

    async def speak_unasked(self, session: Session, text: str) -> None:
        """Begins to speak, as a server does that decides that itself."""
        session.running = asyncio.create_task(self._speak(session, text, {}, asked_for=False))

    async def sound_again(self, session: Session, response: Response) -> None:
        """Sends sound of an answer that is over."""
        await self._sound(session, response, 1)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.refuse is not None:
            raise _refusal(self.refuse)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        session = Session(str(request.rel_url), key, socket=socket)
        self.sessions.append(session)
        expires = {} if self.lasts_s is None else {"expires_at": time.time() + self.lasts_s}
        ending = None if self.lasts_s is None else asyncio.create_task(_end_after(socket, self.lasts_s))
        try:
            await self._send(session, "session.created", session={"id": f"sess_{next(_ids)}", **expires})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._take(session, message.json())
        finally:
            session.closed_at = time.monotonic()
            for task in (session.running, ending):
                if task is not None:
                    task.cancel()
        return socket

    async def _take(self, session: Session, event: Event) -> None:
        match event["type"]:
            case "session.update":
                self._update(session, event["session"])
                await self._send(session, "session.updated", session={})
            case "conversation.item.create":
                await self._create(session, event)
            case "conversation.item.delete":
                session.items = [item for item in session.items if item["id"] != event["item_id"]]
                await self._send(session, "conversation.item.deleted", item_id=event["item_id"])
            case "conversation.item.truncate":
                await self._truncate(session, event)
            case "response.create":
                await self._answer(session, event)
            case "response.cancel":
                await self._cancel(session)
            case "input_audio_buffer.append":
                session.microphone += 1

    def _update(self, session: Session, wanted: Event) -> None:
        session.instructions = wanted.get("instructions", session.instructions)
        audio = wanted.get("audio") or {}
        session.voice = (audio.get("output") or {}).get("voice", session.voice)
        if "input" in audio:
            session.turn_detection = audio["input"].get("turn_detection", "unset")
        if "tools" in wanted:
            session.tools = [tool["name"] for tool in wanted["tools"]]

    async def _create(self, session: Session, event: Event) -> None:
        item, before = event["item"], event.get("previous_item_id")
        if any(one["id"] == item["id"] for one in session.items):
            await self._error(session, event, "item_create_duplicate_item_id", "the item is there already")
            return
        places = {one["id"]: index for index, one in enumerate(session.items)}
        if before not in (None, "root") and before not in places:
            await self._error(session, event, "item_not_found", f"there is no item {before}")
            return
        place = len(session.items) if before is None else 0 if before == "root" else places[before] + 1
        session.items.insert(place, item)
        await self._added(session, item)

    async def _added(self, session: Session, item: Event) -> None:
        index = session.items.index(item)
        before = session.items[index - 1]["id"] if index else None
        await self._send(session, "conversation.item.added", item=item, previous_item_id=before)

    async def _truncate(self, session: Session, event: Event) -> None:
        response = next((one for one in session.responses if one.item_id == event["item_id"]), None)
        if response is None or event["audio_end_ms"] > response.sent_ms:
            await self._error(session, event, "invalid_value", "there is not so much sound of it")
            return
        session.truncated.append((event["item_id"], event["audio_end_ms"], response.sent_ms))
        await self._send(session, "conversation.item.truncated", **_without_type(event))

    async def _cancel(self, session: Session) -> None:
        if session.running is None or session.running.done():
            await self._error(
                session, {}, "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        elif not self.goes_on:
            session.running.cancel()
            await asyncio.wait({session.running})

    async def _answer(self, session: Session, event: Event) -> None:
        if session.running is not None and not session.running.done():
            await self._error(session, event, "conversation_already_has_active_response", "one is under way")
            return
        if code := self.fails:
            self.fails = ""
            await self._error(session, event, code, f"the answer failed: {code}")
            return
        wanted = event["response"]
        asked = Asked(
            instructions=wanted.get("instructions") or session.instructions,
            items=[dict(item) for item in session.items],
            tools=session.tools,
            may_call=wanted.get("tool_choice", "auto") != "none",
            voice=session.voice,
        )
        session.asked.append(asked)
        text = self.writes(asked)
        session.running = asyncio.create_task(self._speak(session, text, wanted.get("metadata") or {}))

    async def _speak(self, session: Session, writes: str | Asks, metadata: Event, *, asked_for: bool = True) -> None:
        asks = writes if isinstance(writes, Asks) else Asks((), writes)
        number = next(_ids)
        response = Response(f"resp_{number}", f"item_{number}", time.monotonic(), asked_for=asked_for)
        session.responses.append(response)
        words = asks.text.split()
        about = {"id": response.id, "object": "realtime.response", "metadata": metadata}
        try:
            await self._send(session, "response.created", response={**about, "status": "in_progress"})
            if words:
                await self._say(session, response, words)
            for name, arguments in asks.calls:
                await self._call(session, response, name, arguments)
            response.status = "completed"
        except asyncio.CancelledError:
            response.status = "cancelled"
        except ConnectionError:
            return
        output = TOKENS_A_WORD * len(words)
        usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": output, "total_tokens": PROMPT_TOKENS + output}
        done = {**about, "status": response.status, "usage": usage, "output": []}
        with contextlib.suppress(ConnectionError):
            await self._send(session, "response.done", response=done)

    async def _say(self, session: Session, response: Response, words: list[str]) -> None:
        item: Event = {"id": response.item_id, "type": "message", "role": "assistant", "content": []}
        place = {"response_id": response.id, "item_id": response.item_id, "output_index": 0, "content_index": 0}
        await self._send(session, "response.output_item.added", response_id=response.id, output_index=0, item=item)
        session.items.append(item)
        await self._added(session, item)
        part = {"type": "audio", "transcript": ""}
        await self._send(session, "response.content_part.added", **place, part=part)
        item["content"] = [{"type": "output_audio", "transcript": ""}]
        for index, word in enumerate(words):
            delta = word if index == len(words) - 1 else f"{word} "
            item["content"][0]["transcript"] += delta
            await self._send(session, "response.output_audio_transcript.delta", **place, delta=delta)
            await self._sound(session, response, SECONDS_A_WORD)
            await asyncio.sleep(SECONDS_A_WORD / FASTER)
        await self._send(session, "response.output_audio.done", **place)
        await self._send(session, "response.output_item.done", response_id=response.id, output_index=0, item=item)

    async def _sound(self, session: Session, response: Response, seconds: float) -> None:
        place = {"response_id": response.id, "item_id": response.item_id, "output_index": 0, "content_index": 0}
        await self._send(session, "response.output_audio.delta", **place, delta=_tone(seconds, _pitch(session.voice)))
        response.sent_ms += int(seconds * 1000)
        if self.drop_after_ms is not None and response.sent_ms >= self.drop_after_ms:
            self.drop_after_ms = None
            assert session.socket is not None
            await session.socket.close()
            raise ConnectionResetError

    async def _call(self, session: Session, response: Response, name: str, arguments: str) -> None:
        call = {"id": f"item_{next(_ids)}", "type": "function_call", "call_id": f"call_{next(_ids)}", "name": name}
        began = {**call, "arguments": ""}
        await self._send(session, "response.output_item.added", response_id=response.id, output_index=1, item=began)
        item = {**call, "arguments": arguments}
        session.items.append(item)
        await self._added(session, item)
        await self._send(session, "response.output_item.done", response_id=response.id, output_index=1, item=item)
        if self.drops_after_call:
            self.drops_after_call = False
            assert session.socket is not None
            await session.socket.close()
            raise ConnectionResetError

    async def _error(self, session: Session, event: Event, code: str, message: str) -> None:
        session.refused.append(code)
        error = {"type": "invalid_request_error", "code": code, "message": message, "event_id": event.get("event_id")}
        await self._send(session, "error", error=error)

    async def _send(self, to: Session, kind: str, **more: Any) -> None:
        assert to.socket is not None
        if to.socket.closed:
            raise ConnectionResetError
        await to.socket.send_json({"type": kind, "event_id": f"event_{next(_ids)}", **more})


@asynccontextmanager
async def realtime_server(writes: Writes) -> AsyncIterator[RealtimeServer]:
    """Yields a running server; its `url` ends in `/v1`."""
    server = RealtimeServer(writes)
    application = web.Application()
    application.router.add_get("/v1/realtime", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield server
    finally:
        await runner.cleanup()


def text_of(item: Event) -> str:
    """Returns what an item says, with who says it."""
    if item["type"] == "function_call":
        return f"call {item['name']} {item['arguments']}"
    if item["type"] == "function_call_output":
        return f"result {item['output']}"
    said = " ".join(str(part.get("text") or part.get("transcript") or "") for part in item.get("content") or ())
    return f"{item['role']}: {said}"


async def _end_after(socket: web.WebSocketResponse, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await socket.close()


def _refusal(status: int) -> web.HTTPException:
    kinds = {401: web.HTTPUnauthorized, 403: web.HTTPForbidden, 429: web.HTTPTooManyRequests}
    return kinds.get(status, web.HTTPServiceUnavailable)()


def _without_type(event: Event) -> Event:
    return {name: value for name, value in event.items() if name in ("item_id", "content_index", "audio_end_ms")}


def _pitch(voice: str) -> float:
    return 180.0 + 20.0 * (sum(map(ord, voice)) % 12)


def _tone(seconds: float, hertz: float) -> str:
    count = int(seconds * RATE)
    step = 2 * math.pi * hertz / RATE
    samples = struct.pack(f"<{count}h", *(int(9000 * math.sin(step * index)) for index in range(count)))
    return base64.b64encode(samples).decode()
