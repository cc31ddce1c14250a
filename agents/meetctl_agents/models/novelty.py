"""An answer without what was said before: where nothing of it is new, the model is asked again.

Small models fall into a sentence and stay there, and no sampling cures that. Asked for something else they mostly
have it; an agent that still has nothing new says nothing, and its turn goes to whoever is next.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from meetctl.protocol import Repeats

from ..text.repeats import SaidBefore, WithoutRepeats, sentences, words_of
from .prompt import Message, is_task

ANOTHER_WAY = (
    "(You have said that before. Say something new, in one sentence.)",
    "(That was said too. Ask those who are here one question that nobody has asked yet.)",
)
"""What a model is told that wrote nothing new, one after the other."""
SAY_MORE = "(Say a little more about that, in one whole sentence.)"

Written = Callable[[tuple[Message, ...]], AsyncGenerator[str, None]]
"""Yields what the model writes to a prompt, from its beginning."""


class NothingNewError(Exception):
    """All that the model wrote was said before."""


@dataclass(slots=True)
class Novelty:
    """What became of one answer."""

    is_shortened: bool = False
    """Whether some of it was said before."""
    is_asked_again: bool = False
    """Whether the model had to be asked more than once."""
    is_left_out: bool = False
    """Whether nothing was left in the end."""

    def added_to(self, totals: Repeats) -> Repeats:
        """Returns the totals with this one; each answer counts once, by the most that had to be done about it."""
        is_again = self.is_asked_again and not self.is_left_out
        is_shortened = self.is_shortened and not self.is_asked_again
        return Repeats(
            answers=totals.answers + 1,
            shortened=totals.shortened + is_shortened,
            asked_again=totals.asked_again + is_again,
            left_out=totals.left_out + self.is_left_out,
        )


async def new_words(
    prompt: tuple[Message, ...], written: Written, before: SaidBefore, novelty: Novelty, least_words: int = 0
) -> AsyncGenerator[str, None]:
    """Yields what is new of an answer to the prompt.

    Args:
        before: what was said; empty where somebody wishes to hear it again.
        novelty: is told what became of it.
        least_words: an answer of fewer is gone on with, once.

    Raises:
        NothingNewError: if nothing is, however the model is asked.
    """
    said = ""
    attempts = [prompt, *((*prompt, Message("user", wish)) for wish in ANOTHER_WAY)]
    for number, attempt in enumerate(attempts):
        novelty.is_asked_again = number > 0
        repeats = WithoutRepeats(before, (message.text for message in attempt if is_task(message)))
        async with contextlib.aclosing(written(attempt)) as pieces:
            async for piece in pieces:
                if new := repeats.feed(piece):
                    said += new
                    yield new
        if new := repeats.finish():
            said += new
            yield new
        novelty.is_shortened = novelty.is_shortened or bool(repeats.left_out)
        if repeats.given or not repeats.left_out:
            if said.strip() and len(words_of(said)) < least_words:
                more = (*attempt, Message("assistant", said.strip()), Message("user", SAY_MORE))
                if new := await _more(more, written, repeats, said):
                    yield new
            return
    novelty.is_left_out = True
    raise NothingNewError(f"the model wrote {len(attempts)} times what was said before")


async def _more(prompt: tuple[Message, ...], written: Written, repeats: WithoutRepeats, said: str) -> str:
    """Returns what the model adds to what it said; what it says twice for that is no loss."""
    more = ""
    async with contextlib.aclosing(written(prompt)) as pieces:
        async for piece in pieces:
            more += repeats.feed(piece if more else f" {piece}")
    more += repeats.finish()
    # Short sentences may recur, but not one right after the other.
    told = {words_of(sentence) for sentence in sentences(said)}
    return "".join(sentence for sentence in sentences(more) if words_of(sentence) not in told)
