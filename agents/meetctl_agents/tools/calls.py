"""Each call of a tool: bounded, told to people, remembered; ended or not where its turn is.

What a tool answers is somebody else's text: it reaches the model as a tool's result, never as an instruction, and is
shortened. What it fails with is told to the model in its own words, and to people as a warning.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livekit.agents import Agent, llm
from livekit.agents.llm.utils import execute_function_call
from livekit.agents.voice import RunContext

from meetctl.protocol import Decided, Line, ToolCall, ToolRules, ToolState

from ..process.masking import Mask
from ..process.tasks import Tasks
from ..process.wire import Report
from .approvals import PendingDecisions
from .failure_words import words_of
from .toolbox import Offered, Warn, as_context

MOST_TOLD = 6000
"""Characters of a result that a model is told: some 1500 tokens."""
MOST_SHOWN = 300
"""Characters of arguments, and of a result, in the transcript and for scripts."""
MOST_ASKED = 4000
"""Characters of the arguments that a person is shown who is to allow a call."""
MOST_AT_ONCE = 8
"""Calls of one answer; a model that asks for more is told so."""

logger = logging.getLogger(__name__)

Contexts = Callable[[llm.FunctionCall], RunContext[Any] | None]
"""Makes what a tool may ask for as its `RunContext`."""
Remember = Callable[[Line], None]
"""Takes what came of a call, for the agent's memory."""
Active = Callable[[str], None]
"""Told the names of the tools that run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call and its answer, as a model is told of them."""

    call: llm.FunctionCall
    output: llm.FunctionCallOutput


class _Running:
    """One call under way."""

    def __init__(self, wanted: llm.FunctionToolCall, offered: Offered | None) -> None:
        self.wanted = wanted
        self.offered = offered
        self.id = f"tool-{uuid.uuid4().hex[:12]}"
        self.at = time.time()
        self.began = time.monotonic()
        self.decided_by: str | None = None


class Pending:
    """A call that a person is to allow."""

    def __init__(self, running: _Running, offered: Mapping[str, Offered], deciding: asyncio.Task[Decided]) -> None:
        self.running = running
        self.offered = offered
        self.deciding = deciding


class Calls:
    """Runs calls and owns them until they end; ended by `aclose`."""

    def __init__(
        self,
        rules: ToolRules,
        *,
        identity: str,
        name: str,
        mask: Mask,
        report: Report,
        warn: Warn,
        remember: Remember,
        active: Active,
        contexts: Contexts,
    ) -> None:
        self._rules = rules
        self._identity, self._name = identity, name
        self._mask = mask
        self._report = report
        self._warn = warn
        self._remember = remember
        self._active = active
        self._contexts = contexts
        self.approvals = PendingDecisions()
        self._tasks = Tasks()
        self._running: dict[asyncio.Task[Outcome], _Running] = {}

    async def aclose(self) -> None:
        await self._tasks.aclose()

    def begin(
        self, wanted: Sequence[llm.FunctionToolCall], offered: Mapping[str, Offered]
    ) -> list[asyncio.Task[Outcome]]:
        """Begins the calls, side by side; each task ends with what the model is to be told."""
        running = [_Running(call, offered.get(call.name)) for call in wanted]
        return [self._started(one, self._run(one, offered)) for one in running]

    def leave_out(self, wanted: Sequence[llm.FunctionToolCall]) -> list[asyncio.Task[Outcome]]:
        """Runs none of these: each task ends with the model being told that they were too many."""
        running = [_Running(call, None) for call in wanted]
        return [self._started(one, self._too_many(one)) for one in running]

    def ask(self, wanted: llm.FunctionToolCall, offered: Mapping[str, Offered]) -> Pending:
        """Has a person asked whether this may be done; nothing is done yet."""
        running = _Running(wanted, offered.get(wanted.name))
        self.approvals.expect(running.id)
        self._report(self._event(running, ToolState.ASKED, most=MOST_ASKED))
        deciding = self._tasks.own(self.approvals.wait(running.id), f"approval-{running.id}")
        return Pending(running, offered, deciding)

    def begin_decided(self, pending: Pending) -> asyncio.Task[Outcome]:
        """Begins a call that was allowed; of one that was not, the model is told so."""
        decided = pending.deciding.result()
        running = pending.running
        running.decided_by = decided.by
        running.began = time.monotonic()
        if decided.allowed:
            return self._started(running, self._run(running, pending.offered))
        return self._started(running, self._refused(running))

    def drop(self, pending: Pending) -> None:
        """Nobody waits for what is decided any more."""
        pending.deciding.cancel()
        self._tell(pending.running, ToolState.CANCELLED, "the agent went on without it")

    def interrupt(self, tasks: Sequence[asyncio.Task[Outcome]]) -> None:
        """A person ended the turn: those that are to be cancelled are; what comes of the others is remembered."""
        for task in tasks:
            running = self._running.get(task)
            if running is not None and running.offered is not None and running.offered.is_cancelled:
                task.cancel()

    def _started(self, running: _Running, work: Coroutine[Any, Any, Outcome]) -> asyncio.Task[Outcome]:
        task = self._tasks.own(work, running.id)
        self._running[task] = running
        task.add_done_callback(self._ended)
        self._tell_active()
        return task

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        running = self._running.pop(task)
        if task.cancelled():  # before or while it ran
            self._tell(running, ToolState.CANCELLED, "a person took the floor")
        self._tell_active()

    def _tell_active(self) -> None:
        names = dict.fromkeys(running.wanted.name for running in self._running.values())
        self._active(", ".join(names))

    async def _too_many(self, running: _Running) -> Outcome:
        return self._failed(running, f"not run: at most {MOST_AT_ONCE} tools at once")

    async def _refused(self, running: _Running) -> Outcome:
        why = f"refused by {running.decided_by}" if running.decided_by else "refused: nobody allowed it in time"
        self._tell(running, ToolState.REFUSED, why)
        output = llm.FunctionCallOutput(
            name=running.wanted.name, call_id=running.wanted.call_id, output=f"Not done, {why}.", is_error=True
        )
        return Outcome(self._call_of(running), output)

    async def _run(self, running: _Running, offered: Mapping[str, Offered]) -> Outcome:
        self._report(self._event(running, ToolState.RUNNING))
        server = running.offered.server if running.offered is not None else None
        call = self._call_of(running)
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                made = await execute_function_call(running.wanted, as_context(offered), call_ctx=self._contexts(call))
        except TimeoutError:
            if server is not None:
                server.timed_out()
            return self._failed(running, f"no answer within {self._rules.timeout_s:.0f} s")
        if server is not None:
            server.answered()
        failure = made.raw_exception
        if failure is None or isinstance(failure, llm.StopResponse):
            return self._done(running, made)
        if server is not None:
            server.failed(failure)
        return self._failed(running, words_of(failure))

    def _done(self, running: _Running, made: Any) -> Outcome:
        if _is_agent(made.raw_output):
            return self._failed(running, "it returned another agent, and who is next is the meeting's to say")
        output: llm.FunctionCallOutput = made.fnc_call_out
        self._tell(running, ToolState.FAILED if output.is_error else ToolState.DONE, output.output)
        told = output.model_copy(update={"output": _shortened(output.output, MOST_TOLD)})
        return Outcome(made.fnc_call, told)

    def _failed(self, running: _Running, why: str) -> Outcome:
        why = self._mask(why)
        self._tell(running, ToolState.FAILED, why)
        self._warn(f"the tool {running.wanted.name[:60]!r} failed", why)
        output = llm.FunctionCallOutput(
            name=running.wanted.name, call_id=running.wanted.call_id, output=_shortened(why, MOST_TOLD), is_error=True
        )
        return Outcome(self._call_of(running), output)

    def _call_of(self, running: _Running) -> llm.FunctionCall:
        wanted = running.wanted
        return llm.FunctionCall(
            call_id=wanted.call_id, name=wanted.name, arguments=_json(wanted.arguments), extra=wanted.extra or {}
        )

    def _tell(self, running: _Running, state: ToolState, result: str) -> None:
        event = self._event(running, state, result)
        self._report(event)
        self._remember(event.line(self._identity, self._name))

    def _event(
        self, running: _Running, state: ToolState, result: str | None = None, most: int = MOST_SHOWN
    ) -> ToolCall:
        return ToolCall(
            id=running.id,
            tool=running.wanted.name[:60],
            arguments=self._shown(running.wanted.arguments or "{}", most),
            state=state,
            at=running.at,
            result=None if result is None else self._shown(result),
            seconds=None if result is None else round(time.monotonic() - running.began, 3),
            decided_by=running.decided_by,
        )

    def _shown(self, text: str, most: int = MOST_SHOWN) -> str:
        return _shortened(" ".join(self._mask(text).split()), most)


async def outcomes(tasks: Sequence[asyncio.Task[Outcome]]) -> list[Outcome]:
    """Waits for the calls, which go on where this is cancelled."""
    waiting: list[Awaitable[Outcome]] = [asyncio.shield(task) for task in tasks]
    return list(await asyncio.gather(*waiting))


def _is_agent(output: Any) -> bool:
    return any(isinstance(one, Agent) for one in (output if isinstance(output, tuple | list) else (output,)))


def _json(arguments: str) -> str:
    """Returns the arguments, or what can stand in a conversation in place of what is no JSON."""
    try:
        json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return "{}"
    return arguments or "{}"


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters in all)"
