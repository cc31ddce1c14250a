"""For whom each line of a person is meant: by the rules, or by the judge where they do not decide; and why."""

from __future__ import annotations

from collections.abc import Callable

from meetctl.protocol import FloorDecided, FloorMode, Line

from ..floor.addressing import Decision
from ..floor.addressing.listening import Addressing
from ..floor.events import UtteranceFinal
from ..floor.state import Floor
from ..process.wire import Report
from .judging import Decided, Judging


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

    def decide(self, line: Line, decided: Decided) -> None:
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
