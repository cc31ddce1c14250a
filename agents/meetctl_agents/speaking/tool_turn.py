"""An answer for which tools are used: what the model says, what it wants done, what it says to that; and so on.

Nothing is done before the floor is held. What is said before a call is spoken while it runs; where nothing was, the
agent says that it takes a moment. A person who takes the floor ends the turn; what comes of its calls is remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from livekit.agents import llm

from ..models.novelty import NothingNewError
from ..models.prompt import Message
from ..tools.calls import Calls, Outcome, outcomes
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

Written = Callable[[tuple[Message, ...], ToolRequest], AsyncGenerator[str, None]]
"""Yields what the model writes to a prompt."""
FirstWords = Callable[[Callable[[tuple[Message, ...]], AsyncGenerator[str, None]]], AsyncGenerator[str, None]]
"""Yields what is new of an answer's beginning."""


class ToolUse:
    """One agent's tools, as its answers use them."""

    def __init__(self, toolbox: Toolbox, calls: Calls) -> None:
        self._toolbox = toolbox
        self._calls = calls
        rules = toolbox.rules
        own = FILLERS.get((rules.language or "en").partition("-")[0], FILLERS["en"])
        self._filler = own if rules.filler is None else rules.filler

    def offered(self) -> list[Any]:
        """Returns the tools that are there now, as a model takes them."""
        return tools_of(self._toolbox.offered())

    async def words(
        self, prompt: tuple[Message, ...], written: Written, first: FirstWords, permit: Permit
    ) -> AsyncGenerator[str, None]:
        """Yields the answer.

        Args:
            first: leaves out of the beginning what was said before; what follows on a tool is news.
        """
        done: list[Any] = []
        has_filled = False
        for step in range(self._toolbox.rules.max_steps + 1):
            offered = self._toolbox.offered()
            asking = ToolRequest(tools_of(offered), done, may_call=step < self._toolbox.rules.max_steps)
            said = ""
            made = written(prompt, asking) if step else _first(first, written, asking)
            async with contextlib.aclosing(made) as pieces:
                async for piece in pieces:
                    said += piece
                    yield piece
            if not asking.calls:
                return
            if said.strip():
                done.append(llm.ChatMessage(role="assistant", content=[said.strip()]))
                yield "\n"  # its last sentence is over, and can be spoken
            async with contextlib.aclosing(self._done(asking.calls, offered, permit, done)) as waiting:
                async for _ in waiting:
                    if self._filler and not has_filled and not said.strip():
                        has_filled = True
                        yield f"{self._filler}\n"

    async def _done(
        self, wanted: Sequence[llm.FunctionToolCall], offered: dict[str, Offered], permit: Permit, done: list[Any]
    ) -> AsyncGenerator[None, None]:
        """Has the calls made and adds them; yields once where that takes its time."""
        with permit.unhurried():
            await permit.wait()
            tasks = self._calls.begin(wanted, offered)
            try:
                _, pending = await asyncio.wait(tasks, timeout=FILLER_S)
                if pending:
                    yield
                _add(done, await outcomes(tasks))
            except (asyncio.CancelledError, GeneratorExit):
                self._calls.interrupt(tasks)
                raise


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
