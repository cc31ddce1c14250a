"""One session with a realtime model: told what it is to know, asked to speak, cut off at what was heard of it.

It hears no microphone, so it has nothing to answer by itself; where its server begins all the same, it is stopped and
that is told. Each answer is asked for, and its words and sound go to whoever asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectionError, APIError, APIStatusError, llm, utils
from livekit.agents.metrics import RealtimeModelMetrics

from ..process.tasks import begin
from .faults import fault_from

LATE_S = 2.0
"""After it was told to stop; what is on its way comes within it."""
CLOSE_S = 0.5
"""A server that is away says nothing any more, and a face that costs money waits to be closed."""
BUSY = "conversation_already_has_active_response"
UNASKED = "the realtime model began to speak unasked, and was stopped"
NOT_LISTENED_TO = "nobody hears it"
BEGAN_ANOTHER = "the realtime model began another answer in the middle of one"
OVER = "the realtime model sends sound for a turn that is over"
LEFT_OUT = "it is left out"

logger = logging.getLogger(__name__)

Warn = Callable[[str, object], None]
"""Takes what is wrong, and the error or the words for it."""


@dataclass(slots=True)
class Spoken:
    """One item of an answer, as far as it has come."""

    item_id: str
    began_s: float
    """Where its sound begins in the turn's."""
    seconds: float = 0.0


@dataclass(slots=True)
class Sounding:
    """All the sound of a turn, and where it goes."""

    put: Callable[[rtc.AudioFrame], None]
    spoken: list[Spoken] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(slots=True)
class RealtimeAnswer:
    """What is asked for; a turn may be of several."""

    sounding: Sounding
    may_call: bool = True
    instructions: str | None = None
    very_words: str | None = None
    """To be said as they are, where the model can."""
    calls: list[llm.FunctionToolCall] = field(default_factory=list)
    """What it asks for, once it is whole."""


class Conversation:
    """A session; it connects at once, and is of no use once that is lost. Ended by `aclose`.

    Args:
        used: told the tokens of each answer.
    """

    def __init__(self, model: llm.RealtimeModel, warn: Warn, used: Callable[[int], None]) -> None:
        self._warn = warn
        self._used = used
        self._instructions: str | None = None
        self._tools: list[llm.Tool] = []
        self._over: dict[str, float] = {}
        """Ids of the answers that are not wanted any more, and since when."""
        self._fault: BaseException | None = None
        self._is_answering = False
        self._has_failed = False
        self._is_seen = False
        """Whether the server's own events are, which count more than the plugin does."""
        self.opened_at = time.monotonic()
        self.expires_at: float | None = None
        """Unix time, seconds, where the provider tells it."""
        self._opened = asyncio.Event()
        self.ended = asyncio.Event()
        """Set where it is of no use any more; `fault` says why."""
        able = model.capabilities
        self._session: Any = model.session(turn_detection_disabled=able.can_disable_turn_detection)
        self._session.on("generation_created", self._on_generation)
        self._session.on("error", self._on_error)
        self._session.on("metrics_collected", self._on_metrics)
        self._session.on("openai_server_event_received", self._on_event)

    @property
    def held(self) -> llm.ChatContext:
        """What the session holds now."""
        context: llm.ChatContext = self._session.chat_ctx
        return context

    @property
    def fault(self) -> BaseException | None:
        return self._fault

    async def wait_open(self, within_s: float) -> None:
        """Waits until it is connected; at most so long, since not every plugin says when it is.

        Raises:
            APIError: if it cannot be.
        """
        waits = [begin(event.wait(), "realtime-open") for event in (self._opened, self.ended)]
        try:
            await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await utils.aio.cancel_and_wait(*waits)
        if self.ended.is_set():
            raise self._lost()

    async def tell(self, instructions: str, items: Sequence[llm.ChatItem], tools: Sequence[llm.Tool] = ()) -> None:
        """Has the session hold exactly this; what it holds already is not sent.

        Raises:
            RealtimeError: if it does not confirm it.
            APIError: if the connection is lost.
        """
        telling = begin(self._tell(instructions, items, tools), "realtime-telling")
        ended = begin(self.ended.wait(), "realtime-ended")
        try:
            await asyncio.wait({telling, ended}, return_when=asyncio.FIRST_COMPLETED)
            if self.ended.is_set():
                raise self._lost()
            await telling
        finally:
            await utils.aio.cancel_and_wait(telling, ended)

    async def _tell(self, instructions: str, items: Sequence[llm.ChatItem], tools: Sequence[llm.Tool]) -> None:
        if instructions != self._instructions:
            self._instructions = instructions
            await self._session.update_instructions(instructions)
        if list(tools) != self._tools:
            self._tools = list(tools)
            await self._session.update_tools(list(tools))
        await self._session.update_chat_ctx(llm.ChatContext(list(items)))

    async def answer(self, wanted: RealtimeAnswer) -> AsyncGenerator[str, None]:
        """Yields the words of an answer as they come; its sound goes where it is wanted.

        Whoever stops listening ends it.

        Raises:
            APIError: if the connection is lost, or the server fails.
            RealtimeError: if it does not begin.
        """
        self._has_failed = False
        if not self.ended.is_set():
            self._fault = None
        created = await self._created(wanted)
        response_id = created.response_id or ""
        is_whole = has_words = False
        self._is_answering = True
        try:
            async with contextlib.aclosing(self._words(created, wanted)) as words:
                async for piece in words:
                    has_words = has_words or bool(piece.strip())
                    yield piece
            is_whole = True
        finally:
            self._is_answering = False
            if not is_whole:
                self._over[response_id] = time.monotonic()
                self._session.interrupt()
        came_to_nothing = not has_words and not wanted.calls
        if self._fault is not None and (self._has_failed or came_to_nothing):
            raise self._fault
        if came_to_nothing:
            raise APIError("the realtime model's answer has neither words nor calls", retryable=False)

    def cut(self, spoken: Sequence[Spoken], heard_s: float) -> list[str]:
        """Ends what is under way, and has the session know how much was heard; returns the items that remain."""
        self._session.interrupt()
        kept = []
        for one in spoken:
            heard = min(max(0.0, heard_s - one.began_s), one.seconds)
            if heard > 0:
                kept.append(one.item_id)
            if self._session.capabilities.message_truncation:
                self._session.truncate(
                    message_id=one.item_id, modalities=["audio", "text"], audio_end_ms=int(heard * 1000)
                )
        return kept

    async def aclose(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._session.aclose()
        except Exception as error:  # a session that is lost says so once more
            logger.info("the realtime session closed with %r", error)

    async def _created(self, wanted: RealtimeAnswer) -> llm.GenerationCreatedEvent:
        try:
            return await self._ask(wanted)
        except llm.RealtimeError as error:
            if isinstance(self._fault, APIStatusError):
                raise self._fault from error  # it refuses, and another session would not change that
            if error.code != BUSY:
                raise
            self._session.interrupt()  # what it does there was not asked for; the request is behind the order to stop
            return await self._ask(wanted)

    async def _ask(self, wanted: RealtimeAnswer) -> llm.GenerationCreatedEvent:
        if wanted.very_words is not None and self._session.capabilities.supports_say:
            asking = self._session.say(wanted.very_words)
        else:
            given: dict[str, Any] = {} if wanted.may_call else {"tool_choice": "none"}
            if wanted.instructions is not None:
                given["instructions"] = wanted.instructions
            asking = self._session.generate_reply(**given)
        ended = begin(self.ended.wait(), "realtime-ended")
        try:
            await asyncio.wait({asking, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel()
                raise self._lost()
            created: llm.GenerationCreatedEvent = asking.result()
            return created
        except asyncio.CancelledError:
            asking.cancel()
            raise
        finally:
            ended.cancel()

    async def _words(self, created: llm.GenerationCreatedEvent, wanted: RealtimeAnswer) -> AsyncGenerator[str, None]:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        tasks = [
            begin(self._take_messages(created, wanted, pieces), "realtime-messages"),
            begin(_take_calls(created, wanted), "realtime-calls"),
            begin(self.ended.wait(), "realtime-ended"),
        ]
        tasks[0].add_done_callback(lambda _: pieces.put_nowait(None))
        tasks[2].add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            if self.ended.is_set():
                raise self._lost()
            await tasks[0]
            await tasks[1]
        finally:
            await utils.aio.cancel_and_wait(*tasks)

    async def _take_messages(
        self, created: llm.GenerationCreatedEvent, wanted: RealtimeAnswer, pieces: asyncio.Queue[str | None]
    ) -> None:
        async for message in created.message_stream:
            spoken = Spoken(message.message_id, wanted.sounding.seconds)
            wanted.sounding.spoken.append(spoken)
            async with asyncio.TaskGroup() as both:
                both.create_task(_take_text(message, pieces))
                both.create_task(_take_sound(message, wanted.sounding, spoken))

    def _lost(self) -> BaseException:
        return self._fault or APIConnectionError("the realtime session was lost")

    # --- what the session says ---

    def _on_generation(self, created: llm.GenerationCreatedEvent) -> None:
        if created.user_initiated:
            return
        self._over[created.response_id or ""] = time.monotonic()
        self._session.interrupt()
        self._warn(UNASKED, NOT_LISTENED_TO)
        if self._is_answering:
            # The plugin knows of one answer at a time: that one's words and sound, its end too, would never come.
            self._fault = APIConnectionError(BEGAN_ANOTHER)
            self.ended.set()

    def _on_error(self, event: llm.RealtimeModelError) -> None:
        self._fault = fault_from(event.error)
        if not event.recoverable or isinstance(event.error, APIConnectionError):
            # The plugin would connect again by itself, and be told of nothing that was said meanwhile.
            self.ended.set()

    def _on_metrics(self, metrics: Any) -> None:
        if not isinstance(metrics, RealtimeModelMetrics):
            return
        self._opened.set()  # the first of them says how long connecting took
        if metrics.total_tokens and not self._is_seen:
            self._used(metrics.total_tokens)

    def _on_event(self, event: dict[str, Any]) -> None:
        """Takes what an OpenAI server sends, where the plugin lets it be seen."""
        self._is_seen = True
        kind = event.get("type")
        if kind in ("session.created", "session.updated"):
            expires = (event.get("session") or {}).get("expires_at")
            if isinstance(expires, int | float):
                self.expires_at = float(expires)
        elif kind == "response.done":
            response = event.get("response") or {}
            self._has_failed = self._has_failed or response.get("status") == "failed"
            if tokens := (response.get("usage") or {}).get("total_tokens"):
                self._used(tokens)  # of answers that nobody asked for, too
            self._end(str(response.get("id", "")))
        elif kind == "response.output_audio.delta":
            since = self._over.get(str(event.get("response_id", "")))
            if since is not None and time.monotonic() - since > LATE_S:
                self._warn(OVER, LEFT_OUT)

    def _end(self, response_id: str) -> None:
        self._over[response_id] = time.monotonic() - LATE_S  # nothing more can be on its way
        while len(self._over) > 64:
            del self._over[next(iter(self._over))]


async def _take_text(message: llm.MessageGeneration, pieces: asyncio.Queue[str | None]) -> None:
    async for piece in message.text_stream:
        pieces.put_nowait(str(piece))


async def _take_sound(message: llm.MessageGeneration, sounding: Sounding, spoken: Spoken) -> None:
    async for frame in message.audio_stream:
        sounding.seconds += frame.duration
        spoken.seconds += frame.duration
        sounding.put(frame)


async def _take_calls(created: llm.GenerationCreatedEvent, wanted: RealtimeAnswer) -> None:
    async for call in created.function_stream:
        wanted.calls.append(
            llm.FunctionToolCall(name=call.name, arguments=call.arguments, call_id=call.call_id, extra=call.extra)
        )
