"""For whom a line is meant: the rules in their order, the first that applies decides. Pure."""

from __future__ import annotations

from collections.abc import Callable

from .calls import by_role, called, misheard
from .corrections import correction
from .groups import everybody, to_kin
from .language import chosen
from .line import ExaminedLine
from .passive import backchannel, noise, self_talk, wordless
from .pronouns import pronoun
from .talk import alone, answer, between_people, continuation, dismissal, interruption, open_question, statement
from .text import bare, fold, tokens
from .view import Decision, View

LONGEST_DISMISSAL = 8
"""Words."""

Rule = Callable[[ExaminedLine], Decision | None]

RULES: tuple[Rule, ...] = (
    wordless,
    noise,
    correction,
    called,
    to_kin,
    everybody,
    by_role,
    misheard,
    self_talk,
    answer,
    backchannel,
    pronoun,
    between_people,
    dismissal,
    interruption,
    continuation,
    alone,
    open_question,
    statement,
)


def decide(text: str, view: View) -> Decision:
    """Returns for whom the text is meant, and by which rule."""
    line = ExaminedLine(text, view)
    for rule in RULES:
        decision = rule(line)
        if decision is not None:
            return decision
    return Decision("nobody", candidates=line.candidates)


def dismisses(text: str, language: str | None) -> bool:
    """Returns whether the text only tells somebody to stop talking."""
    folded = fold(text)
    spoken = chosen(language, folded)
    plain = bare(folded)
    longest = LONGEST_DISMISSAL * (1 if not spoken.without_blanks else 2)
    count = len(tokens(folded))
    return 0 < count <= longest and bool(spoken.dismissals.fullmatch(plain))
