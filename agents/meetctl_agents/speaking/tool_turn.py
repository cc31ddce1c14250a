"""An answer for which tools are used: what the model says, what it wants done, what it says to that; and so on.

Nothing is done before the floor is held. What is said before a call is spoken while it runs; where nothing was, the
agent says that it takes a moment. A person who takes the floor ends the turn; what comes of its calls is remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livekit.agents import llm

from meetctl.protocol import Decided

from ..models.novelty import NothingNewError
from ..models.prompt import Message
from ..process.tasks import Tasks
from ..tools.calls import MOST_AT_ONCE, Calls, Outcome, Pending, outcomes
from ..tools.toolbox import Offered, Toolbox, tools_of
from .replay_agent import ToolRequest
from .speech import Permit

FILLER_S = 1.0
"""From the call until the agent says that it takes a moment, where it has said nothing."""
FILLERS = {
    "en": "One moment, let me check.",
    "de": "Einen Moment, ich schaue nach.",
    "es": "Espera, lo compruebo.",
    "fr": "Un instant, je vérifie.",
    "ja": "少々お待ちください。",
    "zh": "请稍等，我查一下。",
}

PASSING = {
    "en": "I pass that on.",
    "de": "Das gebe ich weiter.",
    "es": "Paso la pregunta.",
    "fr": "Je passe la question.",
    "ja": "他の者に回します。",
    "zh": "我转给别人。",
}
ASKING = {
    "en": "I need somebody's approval for that.",
    "de": "Dafür brauche ich eine Freigabe.",
    "es": "Necesito permiso para eso.",
    "fr": "Il me faut un accord pour cela.",
    "ja": "承認が必要です。",
    "zh": "这需要有人批准。",
}

Written = Callable[[tuple[Message, ...], ToolRequest], AsyncGenerator[str, None]]
"""Yields what the model writes to a prompt."""
FirstWords = Callable[[Callable[[tuple[Message, ...]], AsyncGenerator[str, None]]], AsyncGenerator[str, None]]
"""Yields what is new of an answer's beginning."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A turn that goes on once a person has decided: what was said and done in it, and what is decided."""

    done: list[Any]
    step: int
    begun: list[asyncio.Task[Outcome]]
    """Calls that needed nobody's word."""
    pending: list[Pending]


class ToolUse:
    """One agent's tools, as its answers use them; ended by `aclose`.

    Args:
        want: asks for the floor with a line of the agent's own, which comes back in the grant.
    """

    def __init__(self, toolbox: Toolbox, calls: Calls, want: Callable[[str], Awaitable[None]] | None = None) -> None:
        self._toolbox = toolbox
        self._calls = calls
        self._want = want
        rules = toolbox.rules
        language = (rules.language or "en").partition("-")[0]
        self._filler = FILLERS.get(language, FILLERS["en"]) if rules.filler is None else rules.filler
        self._asking = ASKING.get(language, ASKING["en"])
        self._passing = PASSING.get(language, PASSING["en"])
        self._waiting: dict[str, Continuation] = {}
        """By the id of the line that comes back in the grant."""
        self._tasks = Tasks()

    async def aclose(self) -> None:
        for waiting in self._waiting.values():
            for pending in waiting.pending:
                self._calls.drop(pending)
        self._waiting.clear()
        await self._tasks.aclose()

    def offered(self) -> list[Any]:
        """Returns the tools that are there now, as a model takes them."""
        return tools_of(self._toolbox.offered())

    def decide(self, decided: Decided) -> None:
        """Takes what a person decided about a call."""
        self._calls.approvals.decide(decided)

    def take(self, line_id: str) -> Continuation | None:
        """Returns what this line was wanted for, once, and has done what was allowed: the floor is held now."""
        waiting = self._waiting.pop(line_id, None)
        if waiting is None:
            return None
        return replace(waiting, begun=[*waiting.begun, *map(self._calls.begin_decided, waiting.pending)], pending=[])

    def words(
        self, prompt: tuple[Message, ...], written: Written, first: FirstWords, permit: Permit
    ) -> AsyncGenerator[str, None]:
        """Yields the answer.

        Args:
            first: leaves out of the beginning what was said before; what follows on a tool is news.
        """
        return self._steps(prompt, written, first, permit, [], 0)

    async def resumed(
        self, waiting: Continuation, prompt: tuple[Message, ...], written: Written, permit: Permit
    ) -> AsyncGenerator[str, None]:
        """Yields the rest of an answer, after what a person has decided."""
        done = list(waiting.done)
        async with contextlib.aclosing(self._waited_for(waiting.begun, permit, done)) as waits:
            async for _ in waits:
                if self._filler:
                    yield f"{self._filler}\n"
        async with contextlib.aclosing(self._steps(prompt, written, None, permit, done, waiting.step + 1)) as pieces:
            async for piece in pieces:
                yield piece

    async def _steps(
        self,
        prompt: tuple[Message, ...],
        written: Written,
        first: FirstWords | None,
        permit: Permit,
        done: list[Any],
        step: int,
    ) -> AsyncGenerator[str, None]:
        has_filled = False
        while step <= self._toolbox.rules.max_steps:
            offered = self._toolbox.offered()
            asking = ToolRequest(tools_of(offered), done, may_call=step < self._toolbox.rules.max_steps)
            said = ""
            made = written(prompt, asking) if first is None else _first(first, written, asking)
            first = None
            async with contextlib.aclosing(made) as pieces:
                async for piece in pieces:
                    said += piece
                    yield piece
            if not asking.calls:
                return
            if said.strip():
                done.append(llm.ChatMessage(role="assistant", content=[said.strip()]))
                yield "\n"  # its last sentence is over, and can be spoken
            with permit.unhurried():
                await permit.wait()
            wanted = asking.calls[:MOST_AT_ONCE]
            needing = [call for call in wanted if _needs_approval(call, offered)]
            if needing and not said.strip():
                yield self._asking  # something has to be heard: a turn in which nothing is counts for none
            tasks = [
                *self._calls.begin([call for call in wanted if call not in needing], offered),
                *self._calls.leave_out(asking.calls[MOST_AT_ONCE:]),
            ]
            if needing:
                self._wait_for_a_person(needing, tasks, offered, done, step)
                return
            async with contextlib.aclosing(self._waited_for(tasks, permit, done)) as waits:
                async for _ in waits:
                    if self._filler and not has_filled and not said.strip():
                        has_filled = True
                        yield f"{self._filler}\n"
            if _is_over(done, len(tasks)):
                if not said.strip():
                    yield self._passing
                return
            step += 1

    async def _waited_for(
        self, tasks: list[asyncio.Task[Outcome]], permit: Permit, done: list[Any]
    ) -> AsyncGenerator[None, None]:
        """Waits for calls and adds them; yields once where that takes its time."""
        with permit.unhurried():
            try:
                _, pending = await asyncio.wait(tasks, timeout=FILLER_S)
                if pending:
                    yield
                _add(done, await outcomes(tasks))
            except (asyncio.CancelledError, GeneratorExit):
                self._calls.interrupt(tasks)
                raise

    def _wait_for_a_person(
        self,
        needing: Sequence[llm.FunctionToolCall],
        begun: list[asyncio.Task[Outcome]],
        offered: dict[str, Offered],
        done: list[Any],
        step: int,
    ) -> None:
        pending = [self._calls.ask(call, offered) for call in needing]
        waiting = Continuation(list(done), step, begun, pending)
        line_id = f"want-{uuid.uuid4().hex[:12]}"
        self._waiting[line_id] = waiting
        self._tasks.own(self._wanted(line_id, waiting), line_id)

    async def _wanted(self, line_id: str, waiting: Continuation) -> None:
        await asyncio.wait([one.deciding for one in waiting.pending])
        if self._want is not None:
            await self._want(line_id)


def _is_over(done: Sequence[Any], count: int) -> bool:
    """Whether none of the last calls wants an answer of the model: somebody else answers."""
    return all(isinstance(item, llm.FunctionCallOutput) and not item.reply_required for item in done[-count:])


def _needs_approval(call: llm.FunctionToolCall, offered: dict[str, Offered]) -> bool:
    found = offered.get(call.name)
    return found is not None and found.needs_approval


async def _first(first: FirstWords, written: Written, asking: ToolRequest) -> AsyncGenerator[str, None]:
    def again(prompt: tuple[Message, ...]) -> AsyncGenerator[str, None]:
        asking.calls.clear()  # an answer that is given up asks for nothing
        return written(prompt, asking)

    try:
        async with contextlib.aclosing(first(again)) as pieces:
            async for piece in pieces:
                yield piece
    except NothingNewError:
        if not asking.calls:
            raise


def _add(done: list[Any], made: Sequence[Outcome]) -> None:
    done += [outcome.call for outcome in made]
    done += [outcome.output for outcome in made]
