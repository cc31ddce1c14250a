"""What two people say in ten minutes with the demo's two agents, and how what those said is judged. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from meetctl_agents.text.repeats import sentences

from testing.words import words_of

LONG = 8
"""Words from which on a sentence may not come twice, and an answer to an open question is one."""


@dataclass(frozen=True, slots=True)
class Turn:
    who: str
    text: str
    to: tuple[str, ...]
    """The agents that are asked."""
    is_open: bool = True
    """Whether yes or no is no answer."""


def _turn(who: str, text: str, *, is_open: bool = True) -> Turn:
    return Turn(who, text, tuple(name for name in ("Ada", "Max") if name in text), is_open)


TURNS = (
    _turn("Sam", "Good morning. Ada, please tell us what you do here."),
    _turn("Eve", "Max, what do you do in this project?"),
    _turn("Sam", "Ada, what is still missing before we can launch on Friday?"),
    _turn("Eve", "Max, which users should get it first?"),
    _turn("Sam", "The budget for the launch is nine thousand euros."),
    _turn("Eve", "Ada, how much money do we have for the launch?"),
    _turn("Sam", "Max, what would you spend it on?"),
    _turn("Eve", "Ada, is that a good idea?", is_open=False),
    _turn("Sam", "Ada and Max, what is the biggest risk on Friday?"),
    _turn("Eve", "Ada, how would you notice that the server is too slow?"),
    _turn("Sam", "Max, what do we tell the customers when that happens?"),
    _turn("Eve", "Ada, where do you keep the backups?"),
    _turn("Sam", "Max, how do people find our page?"),
    _turn("Eve", "I will write the announcement tomorrow morning."),
    _turn("Sam", "Max, who writes the announcement?"),
    _turn("Eve", "Ada, what can go wrong with the payments?"),
    _turn("Sam", "Max, how do we know whether people like it?"),
    _turn("Eve", "Ada and Max, what should we leave out of the first version?"),
    _turn("Sam", "Ada, how long does it take to build a search?"),
    _turn("Eve", "Max, is a search important for the users?", is_open=False),
    _turn("Sam", "Ada, which tests would you write first?"),
    _turn("Eve", "Max, how do we thank the people who test it for us?"),
    _turn("Sam", "Ada, what happens if ten times as many people come?"),
    _turn("Eve", "Max, what would make you wait for another week?"),
    _turn("Sam", "We agreed that the launch stays on Friday at noon."),
    _turn("Eve", "Ada, when is the launch?"),
    _turn("Sam", "Max, what are you doing on Friday at noon?"),
    _turn("Eve", "Ada and Max, what have you learnt from this project?"),
    _turn("Sam", "Ada, who should look after the server on the weekend?"),
    _turn("Eve", "Max, please sum up what we have decided today."),
)
"""Every third of them goes on with what somebody said before."""


@dataclass(frozen=True, slots=True)
class Verdict:
    said_twice: tuple[str, ...]
    """Sentences of eight words or more that were said more than once."""
    too_short: tuple[tuple[str, str], ...]
    """Open questions, and answers of fewer words."""


def judge(said: Iterable[str], answers: Iterable[tuple[Turn, str]]) -> Verdict:
    """Returns what is wrong with a meeting.

    Args:
        said: every line of an agent.
        answers: to each question its answer, "" where there was none.
    """
    found = Counter(tuple(words_of(sentence)) for line in said for sentence in sentences(line))
    twice = tuple(" ".join(words) for words, times in found.items() if times > 1 and len(words) >= LONG)
    short = tuple((turn.text, answer) for turn, answer in answers if turn.is_open and len(words_of(answer)) < LONG)
    return Verdict(twice, short)
