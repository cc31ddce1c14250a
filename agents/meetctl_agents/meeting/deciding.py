"""For whom each line of a person is meant: by the rules, or by the judge where their words do not decide; and why.

One line at a time waits for the judge, not for long. Whatever is said meanwhile has the rules decide it at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meetctl.protocol import CastMember, FloorDecided, FloorMode, Line

from ..floor.addressing import Decision
from ..floor.addressing.listening import Addressing
from ..floor.events import UtteranceFinal
from ..floor.judge import Judge
from ..floor.short_answers import NoDecision
from ..floor.state import Floor
from ..models.speech_faults import SpeechFaults
from ..process.tasks import Tasks
from ..process.wire import Report
from .recent import Recent

JUDGE = "the judge does not decide, the rules alone do"

OnDecided = Callable[[Decision, float | None], None]
"""Told for whom a line is meant, and how long the judge was asked, milliseconds; None = not at all."""
Present = Callable[[], tuple[tuple[CastMember, ...], Mapping[str, str]]]
"""Returns the agents, and the people's names by identity."""

logger = logging.getLogger(__name__)


@dataclass
class _Asked:
    words: tuple[str, str]
    """Id of the line and its text."""
    by_rules: Decision
    began: float
    verdict: asyncio.Task[tuple[Decision | None, float]]
    """With how long it took, milliseconds; None = the judge failed."""
    decided: OnDecided | None = None
    """None = what was said is not final yet."""


class Judging:
    """Asks the judge, if there is one; `aclose` has what waits decided by the rules."""

    def __init__(self, judge: Judge | None, recent: Recent, present: Present, faults: SpeechFaults) -> None:
        self._judge = judge
        self._recent = recent
        self._present = present
        self._faults = faults
        self._tasks = Tasks()
        self._asked: _Asked | None = None

    async def aclose(self) -> None:
        self.settle()
        await self._tasks.aclose()

    def foresee(self, line: Line, by_rules: Decision) -> None:
        """Asks already, while the person may only be pausing."""
        if self._judge is not None and by_rules.unsure and (self._asked is None or self._asked.decided is None):
            self._ask(self._judge, line, by_rules)

    def decide(self, line: Line, rules: Callable[[Line], Decision], decided: OnDecided) -> None:
        """Has the line decided, at once where nobody is asked; the rules know of the lines before by then."""
        self.settle()
        by_rules = rules(line)
        if self._judge is None or not by_rules.unsure:
            decided(by_rules, None)
            return
        asked = self._ask(self._judge, line, by_rules)
        asked.by_rules, asked.decided = by_rules, decided
        if asked.verdict.done():
            self._tell(asked, *asked.verdict.result())

    def settle(self) -> None:
        """Has the rules decide the line that waits, if one does."""
        asked = self._asked
        if asked is not None and asked.decided is not None:
            asked.verdict.cancel()
            self._tell(asked, None, _ms_since(asked.began))

    def _ask(self, judge: Judge, line: Line, by_rules: Decision) -> _Asked:
        words = (line.id, line.text)
        if self._asked is not None:
            if self._asked.words == words:
                return self._asked
            self._asked.verdict.cancel()
        began = time.monotonic()
        verdict = self._tasks.own(self._verdict(judge, line, began), f"judge-{line.id}")
        asked = self._asked = _Asked(words, by_rules, began, verdict)
        verdict.add_done_callback(lambda _: self._on_verdict(asked))
        return asked

    def _on_verdict(self, asked: _Asked) -> None:
        if asked is self._asked and not asked.verdict.cancelled():
            self._tell(asked, *asked.verdict.result())

    def _tell(self, asked: _Asked, decision: Decision | None, ms: float) -> None:
        """Lets who waits for the decision have it; what is not final yet waits for more words."""
        if asked.decided is not None:
            self._asked = None
            asked.decided(decision or asked.by_rules, ms)

    async def _verdict(self, judge: Judge, line: Line, began: float) -> tuple[Decision | None, float]:
        try:
            decision = await judge.decide(line, self._recent.talk, *self._present())
        except Exception as error:
            logger.warning("the judge does not decide: %r", error)
            self._faults.warn(JUDGE, str(error) if isinstance(error, NoDecision) else error)
            return None, _ms_since(began)
        self._faults.works(JUDGE)
        return decision, _ms_since(began)


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


class Deciding:
    """Decides line by line, and says why.

    Args:
        floor: returns the floor as it is now.
    """

    def __init__(self, addressing: Addressing, judging: Judging, floor: Callable[[], Floor], report: Report) -> None:
        self._addressing = addressing
        self._judging = judging
        self._floor = floor
        self._report = report

    def by_rules(self, line: Line) -> Decision:
        """Returns for whom the rules take the line to be meant; nothing is remembered."""
        cut_off = self._floor().cut_off
        return self._addressing.decide(line, cut_off.identity if cut_off is not None else None)

    def decide(self, line: Line, decided: OnDecided) -> None:
        """Has the line decided, by the judge too, and remembers it before `decided` is told."""

        def take(decision: Decision, judge_ms: float | None) -> None:
            self.remember(line, decision, judge_ms)
            decided(decision, judge_ms)

        self._judging.decide(line, self.by_rules, take)

    def remember(self, line: Line, decision: Decision, judge_ms: float | None = None) -> None:
        """Keeps for whom the line was meant, and says why."""
        self._addressing.said(line, decision)
        self._report(
            FloorDecided(
                line_id=line.id,
                speaker=line.identity,
                rule=decision.rule,
                agents=decision.agents,
                candidates=decision.candidates,
                judge_ms=judge_ms,
            )
        )

    def lets_go_on(self, text: str, decision: Decision) -> bool:
        """Returns whether the words want nothing but that whoever was talking goes on."""
        if self._floor().cut_off is not None and self._addressing.lets_go_on(text):
            return True
        return decision.passive and not self._addressing.dismisses(text)

    def as_said(self, line: Line, decision: Decision, *, spoken: bool) -> UtteranceFinal:
        """Returns the line as the floor takes it."""
        picks = self._floor().rules.floor in (FloorMode.MODERATED, FloorMode.FREE)
        # In these modes somebody else picks among the agents, unless it is for people that the words are meant.
        open_to_all = decision.to_anybody or (picks and not decision.people and not decision.passive)
        return UtteranceFinal(
            line,
            decision.agents,
            spoken,
            self._addressing.dismisses(line.text),
            decision.excluded,
            to_nobody=not decision.agents and not open_to_all,
            to_the_room=decision.to_the_room,
            is_aside=decision.is_aside,
        )
