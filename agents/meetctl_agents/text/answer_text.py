"""From what a language model streams to what its agent says: everything that is no answer is left out on the way.

Reasoning, calls of tools, stage directions, and other people's lines, in this order. Pure but for the clock.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from .clauses import cut
from .output_filter import OutputFilter
from .reasoning import MUSING, Reasoning
from .stage_directions import StageDirections
from .tool_text import ToolText

SETTLING_S = 0.15
"""How long the first clause waits for a closing marker of reasoning that had no opening one, where the server is not
known to leave reasoning out: fast servers write both within it."""
LONGEST_MUSING = 20_000
"""Characters that are held back of what sounds like reasoning; then it is an answer after all."""
_EXCERPT = 80


class ThinkingHabit:
    """What is known of a model's reasoning; shared by all answers that it writes."""

    def __init__(self, *, is_known_plain: bool) -> None:
        """
        Args:
            is_known_plain: whether its server never hands reasoning over as text.
        """
        self.is_known_plain = is_known_plain
        self.is_unopened = False
        """Whether it was seen to think without an opening marker."""


class AnswerText:
    """Feeds on one answer of a model; `done` once nothing more will be said."""

    def __init__(
        self, names: Iterable[str], own: str, habit: ThinkingHabit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            names: of everybody who takes part.
            own: the agent's name.
        """
        self._reasoning = Reasoning()
        self._tools = ToolText()
        self._stage = StageDirections()
        self._own = OutputFilter(names, own)
        self._habit = habit
        self._clock = clock
        self._held: str | None = None if habit.is_known_plain else ""
        self._clause_at: float | None = None
        self._was_said = False
        self._tool_calls = 0
        self.has_begun = False
        """Whether anything came from the model."""

    @property
    def done(self) -> bool:
        """Whether nothing more will be said."""
        return self._own.done

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls of tools that were written as text and left out."""
        return tuple(self._tools.calls)

    def note_tool_call(self) -> None:
        """Notes a call that came as one, not as text."""
        self.has_begun = True
        self._tool_calls += 1

    def feed(self, text: str) -> str:
        """Returns what can be said now."""
        self.has_begun = True
        answer = self._reasoning.feed(text)
        if self._reasoning.unopened:
            self._habit.is_unopened = True
            self._reasoning.unopened = False
            self._held = None if self._held is None else ""
            return self._release(answer)
        if self._held is None:
            return self._say(answer)
        self._held += answer
        return self._release("") if self._is_settled() else ""

    def finish(self) -> str:
        """Returns the rest once the model has ended."""
        text = self._release(self._reasoning.finish())
        text += self._stage_and_own(self._tools.finish())
        text += self._own.feed(self._stage.finish()) + self._own.finish()
        self._was_said = self._was_said or bool(text.strip())
        return text

    def explain_silence(self) -> str | None:
        """Returns what came instead where nothing can be said; None where something was."""
        if self._was_said:
            return None
        if self._tools.calls or self._tool_calls:
            what = _excerpt(self._tools.calls[0]) if self._tools.calls else "as a call, and the agent has no tools"
            return f"it asked for a tool ({what}) and said nothing else"
        if self._reasoning.thought:
            return f"it only reasoned, and never came to an answer ({_excerpt(self._reasoning.thought)})"
        return "it wrote nothing that can be said"

    def _is_settled(self) -> bool:
        assert self._held is not None
        if len(self._held) > LONGEST_MUSING:
            return True
        end = cut(f"{self._held} ", first=True)
        if not end or self._habit.is_unopened or MUSING.search(self._held[: max(end, 200)]):
            return False
        if self._clause_at is None:
            self._clause_at = self._clock()
        return self._clock() - self._clause_at >= SETTLING_S

    def _release(self, more: str) -> str:
        held, self._held = self._held or "", None
        return self._say(held + more)

    def _say(self, answer: str) -> str:
        text = self._stage_and_own(self._tools.feed(answer))
        self._was_said = self._was_said or bool(text.strip())
        return text

    def _stage_and_own(self, text: str) -> str:
        return self._own.feed(self._stage.feed(text)) if text else ""


def _excerpt(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return f"{line[:_EXCERPT]}…" if len(line) > _EXCERPT else line
