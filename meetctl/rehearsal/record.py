"""What was observed of a play, put in order: who was heard when, what was said, in which step. Pure questions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

from meetctl.protocol.rehearsal import Captioned, Fact, Heard, Missed, Played, Prepared, Spoke, StepBegan, StepEnded

SAME_TURN_S = 0.05
"""An answer may seem to begin this much before the last sound of the question: two clocks of the sound card."""

JUST_SILENT_S = 1.0
"""An agent that paused between two sentences when somebody spoke over it was still interrupted."""


@dataclass(frozen=True, slots=True)
class Window:
    """One step on the clock of the play."""

    began: float
    acted: float
    """Since when an answer counts: the person's last sound, or the beginning."""
    ended: float
    spoke: Spoke | None = None
    missed: str | None = None


@dataclass(slots=True)
class Record:
    """Gathers facts."""

    begun: dict[int, float] = field(default_factory=dict)
    over: dict[int, float] = field(default_factory=dict)
    spoke: dict[int, Spoke] = field(default_factory=dict)
    missed: dict[int, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    captions: list[Captioned] = field(default_factory=list)
    played_at: float | None = None

    def take(self, fact: Fact) -> None:
        """Books one fact."""
        match fact:
            case Prepared():
                pass
            case StepBegan(step=step, at=at):
                self.begun[step] = at
            case StepEnded(step=step, at=at):
                self.over[step] = at
            case Spoke(step=step):
                self.spoke[step] = fact
            case Missed(step=step, why=why):
                self.missed[step] = why
            case Heard():
                self.heard.append(fact)
            case Captioned():
                self._caption(fact)
            case Played(at=at):
                self.played_at = at

    def _caption(self, caption: Captioned) -> None:
        for index, earlier in enumerate(self.captions):
            if (earlier.identity, earlier.segment) == (caption.identity, caption.segment):
                self.captions[index] = caption.model_copy(update={"began": earlier.began})
                return
        self.captions.append(caption)

    def window(self, step: int) -> Window | None:
        """Returns when the step was; None = it was not reached. It lasts until the next one begins."""
        if step not in self.begun:
            return None
        last = self.played_at if self.played_at is not None else float("inf")
        ended = self.begun.get(step + 1, self.over.get(step, last))
        spoke = self.spoke.get(step)
        began = spoke.began if spoke is not None else self.begun[step]
        acted = spoke.ended if spoke is not None else self.begun[step]
        return Window(began, acted, ended, spoke, self.missed.get(step))

    def answers(self, window: Window) -> list[Heard]:
        """Returns the stretches of sound that began after the act, oldest first."""
        return self._between(window.acted - SAME_TURN_S, window.ended)

    def sounds(self, window: Window) -> list[Heard]:
        """Returns the stretches that began in the step, those during the person's own words included."""
        return self._between(window.began, window.ended)

    def silent_after(self, window: Window) -> float | None:
        """Returns the seconds from the person's first sound until no agent could be heard that had spoken before.

        0 where the agent fell silent by itself just then; None where none was speaking.
        """
        ends = [heard.ended for heard in self.heard if heard.began < window.acted]
        if over := [ended - window.began for ended in ends if ended > window.began]:
            return max(over)
        return 0.0 if any(window.began - ended < JUST_SILENT_S for ended in ends) else None

    def words(self, identities: Iterable[str], began: float, ended: float) -> str:
        """Returns the captions in these names that began in the time given."""
        names = set(identities)
        found = sorted((c for c in self.captions if c.identity in names and began <= c.began < ended), key=_began)
        return " ".join(caption.text for caption in found)

    def longest_overlap(self) -> float:
        """Returns for how long, at most, two agents were heard at once; seconds."""
        return max(
            (
                min(one.ended, other.ended) - max(one.began, other.began)
                for one, other in combinations(self.heard, 2)
                if one.identity != other.identity
            ),
            default=0.0,
        )

    def _between(self, began: float, ended: float) -> list[Heard]:
        return sorted((heard for heard in self.heard if began <= heard.began < ended), key=_began)


def _began(fact: Heard | Captioned) -> float:
    return fact.began
